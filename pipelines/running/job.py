"""`Job`: one picture, or a folder, through a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.batch import FolderResult, run_folder
from pipelines.batch.failures import FAILURES
from pipelines.batch.reading import Reader, Sample, limits_for
from pipelines.batch.record import RECORD
from pipelines.batch.results import Results, require_writable
from pipelines.running.handling import Handling
from pipelines.running.places import place_for
from pipelines.running.progress import counting_progress
from pipelines.stopping import listening
from pipelines.tasks import Translate
from pipelines.telling import counted, say
from translate.card import Card, Mask
from translate.errors import ConfigurationError, PartialFailureError, PictureError
from translate.runtime.codec import Made
from translate.storage.atomic import require_place


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done: pictures (or folders), one an input of the model; where to; and how.

    With `out` None, results go beside the first of the sources, with `word` in their name; an `out` that ends in / is a
    folder. `doing` stands before the bar.
    """

    sources: tuple[Path, ...]
    out: str | Path | None
    word: str
    doing: str
    handling: Handling

    def __post_init__(self) -> None:
        """Refuse what is not there."""
        for path in self.sources:
            if not path.exists():
                raise ConfigurationError(f"{path} does not exist")

    @property
    def is_folder(self) -> bool:
        """Whether a folder is to be run."""
        return self.sources[0].is_dir()

    def carry_out(self, translate: Translate) -> int:
        """Do it, and say what became of it.

        Returns:
            The exit code.

        Raises:
            PixturnError: what a picture, a model, a disk or a signal came to.
        """
        place = place_for(self.sources, self.out, self.word, self.handling.asked_format)
        return self._folder(translate, place) if self.is_folder else self._picture(translate, place)

    def _picture(self, translate: Translate, target: Path) -> int:
        card, handling = translate.card, self.handling
        require_writable(card, target.suffix)
        require_place(target)
        reader = Reader(card=card, limits=limits_for(handling.max_pixels), alpha=handling.alpha)
        sample = reader.read(self.sources)
        _require_marked(sample, card, self.sources)
        others = [target.with_name(f"{target.stem}.{port.name}{target.suffix}") for port in card.outputs[1:]]
        Results(card=card).write(self._outputs(translate, sample), sample.carried, (target, *others))
        say(f"{target} ({translate.device})")
        return 0

    def _outputs(self, translate: Translate, sample: Sample) -> dict[str, Made]:
        try:
            return translate.outputs(sample.pixels)
        except PictureError as problem:  # pixels have no name
            raise PictureError(problem.reason, f"{self.sources[0]}: {problem}") from problem

    def _folder(self, translate: Translate, out: Path) -> int:
        handling = self.handling
        with listening() as stop_request, counting_progress(self.doing) as progress:
            result = run_folder(
                translate,
                self.sources,
                out,
                batch=handling.batch,
                file_format=handling.asked_format or "png",
                alpha=handling.alpha,
                max_pixels=handling.max_pixels,
                progress=progress,
                stop=lambda: bool(stop_request),
            )
        if result.left:
            raise stop_request.error(
                f"Stopped: {counted(result.done, 'picture')} done, {result.left} left. "
                f"Give the same command again to go on with them ({translate.device})"
            )
        return _ended(result, out)


def _require_marked(sample: Sample, card: Card, sources: Sequence[Path]) -> None:
    """Of a single picture, an empty mask is a mistake: nothing would be done. Raises PictureError."""
    for port, path in zip(card.input_pictures, sources, strict=True):
        if isinstance(port, Mask) and not sample.pixels[port.name].any():
            raise PictureError(
                "nothing_to_fill", f"{path}: the mask marks nothing: paint what is to be filled white, the rest black"
            )


def _ended(result: FolderResult, out: Path) -> int:
    good = result.done + result.skipped
    before = f", {result.skipped} of them already there" if result.skipped else ""
    if result.failed:
        raise PartialFailureError(
            f"{len(result.failed)} of {counted(good + len(result.failed), 'picture')} failed; see {out / FAILURES}. "
            f"{good} are in {out}{before} ({result.device}); {RECORD} says more"
        )
    say(f"{counted(good, 'picture')} in {out}{before} ({result.device}); {out / RECORD} says more")
    return 0
