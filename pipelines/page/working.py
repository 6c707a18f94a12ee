"""What the page does with pictures: one, or many. What is asked for comes in, files come out; no user interface."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from pipelines.batch.failures import FAILURES, Failure
from pipelines.batch.naming import result_names
from pipelines.batch.reading import Sample
from pipelines.batch.results import Format, Results, require_writable
from pipelines.large import Tiles
from pipelines.page.again import Again, Loading, file_stem, folder_again, picture_again
from pipelines.page.bench import Bench
from pipelines.page.given import GivenPictures
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.page.previews import like, preview_of, shrunk
from pipelines.page.weights import MOST_FAITHFUL, weights_of
from pipelines.tasks import Translate, pipeline_for
from translate.data.writing import write_picture
from translate.errors import ConfigurationError, PictureError
from translate.runtime.codec import Made
from translate.runtime.tiling import TILE_PX

_TILED_FROM_PX: Final = 1_000_000
"""Larger pictures go in tiles wherever that gives the same result: how far it is can then be told."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a visitor chose beside pictures."""

    offer: Offer
    file_format: Format = "png"
    fidelity: float = MOST_FAITHFUL


@dataclass(frozen=True, kw_only=True, eq=False)
class Translated:
    """One picture's results: files to download (the first is the main one), small copies to look at, and words."""

    files: tuple[Path, ...]
    before: Image.Image
    after: Image.Image
    told: str
    again: Again


@dataclass(frozen=True, kw_only=True)
class TranslatedMany:
    """Many pictures' results in one file, those that failed, and words."""

    archive: Path
    failures: tuple[Failure, ...]
    told: str
    again: Again


def translate_one(choice: Choice, given: GivenPictures, bench: Bench, job: Job) -> Translated:
    """Translate one picture. Raises PixturnError for whatever is refused, StoppedError where the job was stopped."""
    card = choice.offer.card
    require_writable(card, f".{choice.file_format}")
    job.say("Reading the picture")
    sample = given.sample(card, bench.intake)
    loading = _loading(choice, _tile_px(choice.offer, sample))
    model = _model(choice, loading, bench, job)
    job.say("Working")
    began = job.seconds
    outputs = model.outputs(sample.pixels)
    seconds = job.seconds - began
    files, used = _written(choice, given, sample, outputs, bench)
    before, after = _looked_at(choice.offer, sample, outputs)
    return Translated(
        files=files,
        before=before,
        after=after,
        told=_told(choice.offer, model, sample, seconds),
        again=picture_again(card, loading, used, files[0].name),
    )


def translate_many(choice: Choice, files: Mapping[str, Sequence[Path]], bench: Bench, job: Job) -> TranslatedMany:
    """Translate many pictures into one archive; those that are refused are listed in it, and the others go on.

    Args:
        choice: the model and the format.
        files: the pictures of each port; those of one name (whatever its ending) go together.
        bench: the page's.
        job: this work.

    Raises:
        PixturnError: there are no pictures, or the model fails.
        StoppedError: the job was stopped.
    """
    card = choice.offer.card
    require_writable(card, f".{choice.file_format}")
    samples = _paired(files, [port.name for port in card.input_pictures])
    model = _model(choice, _loading(choice, None), bench, job)
    place = bench.intake.folder.new("").with_name(f"pictures-{file_stem(choice.offer.name)}.zip")
    began = job.seconds
    failures = _packed(choice, samples, model, bench, job, place)
    done = len(samples) - len(failures)
    folders = ["pictures"] if len(files) == 1 else [port.name for port in card.inputs]
    return TranslatedMany(
        archive=place,
        failures=tuple(failures),
        told=f"{done} of {len(samples)} pictures with {_by(choice.offer, model)} in {job.seconds - began:.1f} s",
        again=folder_again(card, _loading(choice, None), folders, choice.file_format),
    )


def _model(choice: Choice, loading: Loading, bench: Bench, job: Job) -> Translate:
    path = weights_of(choice.offer, choice.fidelity)
    if path not in bench.shelf:
        job.say(f"Loading {choice.offer.name}")
    runtime = bench.shelf.runtime(path).for_job(job)
    tiles = Tiles(tile_px=loading.tile_px, scratch=bench.intake.folder.path, progress=job.steps("Tile"))
    pipeline = pipeline_for(runtime, tiles)
    if not isinstance(pipeline, Translate):
        raise ConfigurationError(f"{choice.offer.name} does not turn pictures into pictures")
    return pipeline


def _tile_px(offer: Offer, sample: Sample) -> int | None:
    height, width = sample.size_px
    is_large = height * width > _TILED_FROM_PX and max(height, width) > TILE_PX
    return TILE_PX if is_large and offer.card.tiling == "exact" and not offer.card.pixels else None


def _loading(choice: Choice, tile_px: int | None) -> Loading:
    fidelity = None if choice.fidelity == MOST_FAITHFUL else choice.fidelity
    return Loading(spoken=choice.offer.spoken, fidelity=fidelity, tile_px=tile_px)


def _written(
    choice: Choice, given: GivenPictures, sample: Sample, outputs: Mapping[str, Made], bench: Bench
) -> tuple[tuple[Path, ...], dict[str, str]]:
    """The files, the main one first, and what went in: the names of the files by port."""
    card, ending = choice.offer.card, f".{choice.file_format}"
    stem = file_stem(next(iter(given.files.values())).name.rsplit(".", 1)[0])
    place = bench.intake.folder.new("").parent
    target = place / f"{stem}-{file_stem(choice.offer.name)}{ending}"
    others = [target.with_name(f"{target.stem}.{port.name}{ending}") for port in card.outputs[1:]]
    Results(card=card).write(outputs, sample.carried, (target, *others))
    used, made = dict[str, str](), list[Path]()
    for port in card.input_pictures:
        mark = "mask" if port.name in given.masks else "extended" if given.is_extended else None
        if mark is None:
            used[port.name] = given.files[port.name].name
            continue
        made.append(place / (f"{stem}-{mark}.png" if not made or mark == "mask" else f"{stem}-{port.name}.png"))
        write_picture(sample.pixels[port.name], made[-1], profile=sample.carried.profile_for(port.channels))
        used[port.name] = made[-1].name
    return (target, *others, *made), used


def _looked_at(offer: Offer, sample: Sample, outputs: Mapping[str, Made]) -> tuple[Image.Image, Image.Image]:
    into, out = offer.card.input_pictures[0], offer.card.output_pictures[0]
    after = shrunk(preview_of(outputs[out.name], out))
    return like(preview_of(sample.pixels[into.name], into), after), after


def _by(offer: Offer, model: Translate) -> str:
    return f"{offer.name}, {offer.card.precision} on {model.device}"


def _told(offer: Offer, model: Translate, sample: Sample, seconds: float) -> str:
    height, width = sample.size_px
    scale = offer.card.scale
    sizes = f"{width} × {height} px" if scale == 1 else f"{width} × {height} → {scale * width} × {scale * height} px"
    return f"{sizes} with {_by(offer, model)} in {seconds:.1f} s"


def _paired(files: Mapping[str, Sequence[Path]], ports: Sequence[str]) -> list[tuple[Path, ...]]:
    """The files of each sample, in the ports' order. Raises ConfigurationError where one has no partner."""
    by_stem = {port: {path.stem: path for path in files.get(port, ())} for port in ports}
    firsts = list(files.get(ports[0], ()))
    if not firsts:
        raise ConfigurationError("Choose some pictures first")
    if len(ports) == 1:
        return [(path,) for path in firsts]
    for port in ports[1:]:
        if lonely := [path.name for path in firsts if path.stem not in by_stem[port]]:
            raise ConfigurationError(f"{lonely[0]} has no partner of the same name among the pictures for {port!r}")
    return [tuple(by_stem[port][path.stem] for port in ports) for path in firsts]


def _packed(
    choice: Choice, samples: Sequence[tuple[Path, ...]], model: Translate, bench: Bench, job: Job, place: Path
) -> list[Failure]:
    """Fill the archive; without a picture too many on disk."""
    names = _names(choice, [paths[0].name for paths in samples])
    step, failures = job.steps("Picture"), list[Failure]()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for index, (paths, targets) in enumerate(zip(samples, names, strict=True)):
            step(index, len(samples))
            try:
                sample = bench.intake.read(choice.offer.card, paths)
                outputs = model.outputs(sample.pixels)
            except PictureError as problem:
                failures.append(Failure(path=paths[0].name, reason=problem.reason, message=str(problem)))
                continue
            _add(archive, choice.offer, outputs, sample, [place.with_name(name) for name in targets])
        if failures:
            archive.writestr(FAILURES, "".join(f"{json.dumps(asdict(failure))}\n" for failure in failures))
    step(len(samples), len(samples))
    return failures


def _add(
    archive: zipfile.ZipFile, offer: Offer, outputs: Mapping[str, Made], sample: Sample, targets: Sequence[Path]
) -> None:
    Results(card=offer.card).write(outputs, sample.carried, tuple(targets))
    for target in targets:
        archive.write(target, target.name)
        with suppress(OSError):
            target.unlink()


def _names(choice: Choice, pictures: Sequence[str]) -> list[tuple[str, ...]]:
    """As a folder's results are called; of uploads of one name, the later ones are numbered."""
    apart = list[str]()
    for name in pictures:
        stem, dot, ending = name.rpartition(".")
        count = sum(1 for each in apart if each == name or each.startswith(f"{stem} ("))
        apart.append(name if not count else f"{stem} ({count + 1}){dot}{ending}")
    others = [port.name for port in choice.offer.card.outputs[1:]]
    names = result_names(apart, taken=(), others=others, ending=f".{choice.file_format}")
    return [names[name] for name in apart]
