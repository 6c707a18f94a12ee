"""`Job`: one picture, or a folder, through a model."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.batch import FolderResult, run_folder
from pipelines.batch.failures import FAILURES
from pipelines.batch.reading import Reader, limits_for
from pipelines.batch.record import RECORD
from pipelines.batch.results import Results, require_writable
from pipelines.running.handling import Handling
from pipelines.running.places import place_for
from pipelines.running.progress import folder_progress, say
from pipelines.stopping import listening
from pipelines.tasks import Translate
from translate.errors import ConfigurationError, PartialFailureError


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done: pictures (or folders), one an input of the model; where to; and how.

    With `out` None, results go beside the first of the sources, with `word` in their name.
    """

    sources: tuple[Path, ...]
    out: Path | None
    word: str
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
        place = place_for(self.sources, self.out, self.word, self.handling.file_format)
        return self._folder(translate, place) if self.is_folder else self._picture(translate, place)

    def _picture(self, translate: Translate, target: Path) -> int:
        card, handling = translate.card, self.handling
        require_writable(card, target.suffix)
        reader = Reader(card=card, limits=limits_for(handling.max_pixels), alpha=handling.alpha)
        sample = reader.read(self.sources)
        others = [target.with_name(f"{target.stem}.{port.name}{target.suffix}") for port in card.outputs[1:]]
        Results(card=card).write(translate.outputs(sample.pixels), sample.carried, (target, *others))
        say(f"{target} ({translate.device})")
        return 0

    def _folder(self, translate: Translate, out: Path) -> int:
        handling = self.handling
        with listening() as stop_request, folder_progress() as progress:
            result = run_folder(
                translate,
                self.sources,
                out,
                batch=handling.batch,
                file_format=handling.file_format or "png",
                alpha=handling.alpha,
                max_pixels=handling.max_pixels,
                progress=progress,
                stop=lambda: bool(stop_request),
            )
        if result.left:
            raise stop_request.error(
                f"Stopped: {result.done} pictures were translated, {result.left} are left. "
                f"Give the same command again to go on with them ({translate.device})"
            )
        return _ended(result, out)


def _ended(result: FolderResult, out: Path) -> int:
    good = result.done + result.skipped
    before = f", {result.skipped} of them from before" if result.skipped else ""
    if result.failed:
        raise PartialFailureError(
            f"{len(result.failed)} of {good + len(result.failed)} pictures failed; see {out / FAILURES}. "
            f"{good} are in {out}{before} ({result.device}); {RECORD} says more"
        )
    say(f"{good} pictures in {out}{before} ({result.device}); {out / RECORD} says more")
    return 0
