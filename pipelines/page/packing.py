"""What the page does with many pictures: one archive comes out, and a list of those that failed. No user interface."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path

from pipelines.batch.failures import FAILURES, Failure
from pipelines.batch.naming import result_names
from pipelines.batch.reading import Sample
from pipelines.batch.results import Results, require_writable
from pipelines.page.again import Again, file_stem, folder_again
from pipelines.page.bearing import require_bearable
from pipelines.page.bench import Bench
from pipelines.page.choices import Choice, by_whom
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from translate.errors import ConfigurationError, PictureError
from translate.runtime.codec import Made


@dataclass(frozen=True, kw_only=True)
class TranslatedMany:
    """Many pictures' results in one file, those that failed, and words."""

    archive: Path
    failures: tuple[Failure, ...]
    told: str
    again: Again


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
    loading = choice.loading()
    device = choice.opened(loading, bench, job).device
    place = bench.intake.folder.new("").with_name(f"pictures-{file_stem(choice.offer.name)}.zip")
    began = job.seconds
    failures = _packed(choice, samples, bench, job, place)
    seconds, done = job.seconds - began, len(samples) - len(failures)
    folders = ["pictures"] if len(files) == 1 else [port.name for port in card.inputs]
    return TranslatedMany(
        archive=place,
        failures=tuple(failures),
        told=f"{done} of {len(samples)} pictures with {by_whom(choice.offer, device)} in {seconds:.1f} s",
        again=folder_again(card, loading, folders, choice.file_format),
    )


def _paired(files: Mapping[str, Sequence[Path]], ports: Sequence[str]) -> list[tuple[Path, ...]]:
    """The files of each sample, in the ports' order. Raises ConfigurationError where one has no partner, or two."""
    firsts = list(files.get(ports[0], ()))
    if not firsts:
        raise ConfigurationError("Choose some pictures first")
    if len(ports) == 1:
        return [(path,) for path in firsts]
    by_stem = {port: _by_stem(port, files.get(port, ())) for port in ports}
    for port in ports[1:]:
        if lonely := [path.name for path in firsts if path.stem not in by_stem[port]]:
            raise ConfigurationError(f"{lonely[0]} has no partner of the same name among the pictures for {port!r}")
    return [tuple(by_stem[port][path.stem] for port in ports) for path in firsts]


def _by_stem(port: str, files: Sequence[Path]) -> dict[str, Path]:
    made = dict[str, Path]()
    for path in files:
        if made.setdefault(path.stem, path) is not path:
            raise ConfigurationError(f"Two pictures for {port!r} are called {path.stem!r}: rename one")
    return made


def _packed(choice: Choice, samples: Sequence[tuple[Path, ...]], bench: Bench, job: Job, place: Path) -> list[Failure]:
    """Fill the archive; without a picture too many on disk."""
    opened = cache(partial(choice.opened, bench=bench, job=job))  # whole, or in tiles
    names = _names(choice, [paths[0].name for paths in samples])
    step, failures = job.steps("pictures"), list[Failure]()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for index, (paths, targets) in enumerate(zip(samples, names, strict=True)):
            step(index, len(samples))
            try:
                sample = bench.intake.read(choice.offer.card, paths)
                require_bearable(choice.offer.card, *sample.size_px)
                outputs = opened(choice.loading(*sample.size_px)).outputs(sample.pixels)
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
    """As a folder's results are called."""
    apart = _apart(pictures)
    others = [port.name for port in choice.offer.card.outputs[1:]]
    names = result_names(apart, taken=(), others=others, ending=f".{choice.file_format}")
    return [names[name] for name in apart]


def _apart(pictures: Sequence[str]) -> list[str]:
    """The first upload of a name keeps it; later ones are numbered, by numbers that no upload has of its own."""
    taken, made = set(pictures), dict[str, None]()
    for name in pictures:
        path = Path(name)
        free = (f"{path.stem} ({number}){path.suffix}" for number in count(2))
        mine = next(each for each in free if each not in taken) if name in made else name
        taken.add(mine)
        made[mine] = None
    return list(made)
