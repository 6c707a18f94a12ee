"""What the page does with one picture: what is asked for comes in, files come out. No user interface."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipelines.batch.reading import Sample
from pipelines.batch.results import Results, require_writable
from pipelines.page.again import Again, file_stem, picture_again
from pipelines.page.bearing import require_bearable
from pipelines.page.bench import Bench
from pipelines.page.choices import Choice, by_whom
from pipelines.page.given import GivenPictures
from pipelines.page.jobs import Job
from pipelines.page.models import Offer
from pipelines.page.previews import like, preview_of, shrunk
from translate.card import Mask
from translate.data.writing import write_picture
from translate.runtime.codec import Made


@dataclass(frozen=True, kw_only=True, eq=False)
class Translated:
    """One picture's results: files to download (the first is the main one), small copies to look at, and words."""

    files: tuple[Path, ...]
    before: Image.Image
    after: Image.Image
    told: str
    again: Again


def translate_one(choice: Choice, given: GivenPictures, bench: Bench, job: Job) -> Translated:
    """Translate one picture. Raises PixturnError for whatever is refused, StoppedError where the job was stopped."""
    card = choice.offer.card
    require_writable(card, f".{choice.file_format}")
    job.say("Reading the picture")
    sample = given.sample(card, bench.intake)
    require_bearable(card, *sample.size_px)
    loading = choice.loading(*sample.size_px)
    translate = choice.opened(loading, bench, job)
    job.say("Working")
    began = job.seconds
    outputs = translate.outputs(sample.pixels)
    told = (
        f"{_sizes(choice.offer, sample)} with {by_whom(choice.offer, translate.device)} in {job.seconds - began:.1f} s"
    )
    job.say("Writing the result")
    place = bench.intake.folder.new("").parent
    stem = file_stem(given.first.stem)
    results = _results(choice, sample, outputs, place / stem)
    used, made = _used(choice.offer, given, sample, place / stem)
    before, after = _looked_at(choice.offer, sample, outputs)
    return Translated(
        files=(*results, *made),
        before=before,
        after=after,
        told=told,
        again=picture_again(card, loading, used, results[0].name),
    )


def _results(choice: Choice, sample: Sample, outputs: Mapping[str, Made], place: Path) -> tuple[Path, ...]:
    """Every output as a file, the first one first."""
    card, ending = choice.offer.card, f".{choice.file_format}"
    target = place.with_name(f"{place.name}-{file_stem(choice.offer.name)}{ending}")
    others = [target.with_name(f"{target.stem}.{port.name}{ending}") for port in card.outputs[1:]]
    Results(card=card).write(outputs, sample.carried, (target, *others))
    return (target, *others)


def _used(offer: Offer, given: GivenPictures, sample: Sample, place: Path) -> tuple[dict[str, str], list[Path]]:
    """What went into the model, by port: the names of the uploads; and the files of what was made here, which too."""
    used, made = dict[str, str](), list[Path]()
    for port in offer.card.input_pictures:
        is_mask = isinstance(port, Mask)
        if not is_mask and not given.is_extended:
            used[port.name] = given.files[port.name].name
            continue
        path = place.with_name(f"{place.name}-{'mask' if is_mask else f'{port.name}-extended'}.png")
        write_picture(sample.pixels[port.name], path, profile=sample.carried.profile_for(port.channels))
        used[port.name] = path.name
        made.append(path)
    return used, made


def _looked_at(offer: Offer, sample: Sample, outputs: Mapping[str, Made]) -> tuple[Image.Image, Image.Image]:
    into, out = offer.card.input_pictures[0], offer.card.output_pictures[0]
    after = shrunk(preview_of(outputs[out.name], out))
    return like(preview_of(sample.pixels[into.name], into), after), after


def _sizes(offer: Offer, sample: Sample) -> str:
    height, width = sample.size_px
    scale = offer.card.scale
    return f"{width} x {height} px" + ("" if scale == 1 else f" to {scale * width} x {scale * height} px")
