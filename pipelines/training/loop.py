"""The training loop: play, tell, score, save, and stop when asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from pipelines.scoring.judge import Score
from pipelines.stopping import StopRequest
from pipelines.training.alerts import Alerts
from pipelines.training.keeping import Keeper
from pipelines.training.kit import Validator
from pipelines.training.observers import Observer
from pipelines.training.session import DomainStream, Session
from translate.engine import Figures
from translate.errors import DatasetError, StorageError
from translate.metrics.health_discriminator import DiscriminatorScores, held_out_accuracy

_LINES_A_RUN = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Loop:
    """A session with everything that accompanies it."""

    session: Session
    validator: Validator
    keeper: Keeper
    observers: Sequence[Observer]
    alerts: Alerts
    stop: StopRequest

    def run(self) -> None:
        """Train to the end of the recipe.

        Raises:
            StoppedError: a signal came; the run is saved.
            DivergedError, StorageError, DatasetError: see there; the last checkpoint is whole.
        """
        stream = self.session.stream()
        try:
            self._train(stream)
        finally:
            stream.batches.close()

    def _train(self, stream: DomainStream) -> None:
        engine, recipe = self.session.engine, self.session.recipe
        total = recipe.length.images or 0
        means = Means()
        while engine.images < total:
            before = engine.images
            means.add(self._play(stream))
            if self._crossed(before, max(1, total // _LINES_A_RUN)):
                self._tell(means.take())
            scores = self._validate() if self._crossed(before, recipe.validation.every_images) else {}
            if scores or self._crossed(before, recipe.save_every_images) or engine.images >= total:
                self.keeper.save(self.session, scores)
            # A run that has just reached its end is finished, whatever came in its last step.
            if engine.images < total and engine.processes.any_process(bool(self.stop)):
                self._save_and_stop()

    def _play(self, stream: DomainStream) -> Figures:
        """One iteration. Where no batch comes (a worker died, too many pictures are bad), save what was trained."""
        engine = self.session.engine
        before = engine.images
        try:
            return engine.play(stream)
        except (DatasetError, StorageError):
            # Other processes are in the middle of their step; they end without a checkpoint of this moment.
            if engine.images == before and engine.processes.world == 1:
                self.keeper.save(self.session, {})
            raise

    def _crossed(self, before: int, every: int) -> bool:
        """Whether the last step passed a multiple of `every` images, or the end."""
        images = self.session.engine.images
        return images // every > before // every or images >= (self.session.recipe.length.images or 0)

    def _tell(self, figures: Mapping[str, float]) -> None:
        for observer in self.observers:
            observer.figures(self.session.engine.images, figures)

    def _validate(self) -> dict[str, Score]:
        """Score the held-out pictures (every process computes the same) and note whether this is the best."""
        images = self.session.engine.images
        scores = self.validator.measure()
        self.keeper.standing = self.keeper.standing.after(images, scores)
        discriminators = self.validator.discriminator_scores()
        values = {name: score.value for name, score in scores.items()}
        self._tell({f"validation/{name}": value for name, value in values.items()} | _accuracies(discriminators))
        alarms = self.validator.alarms(discriminators)
        self.alerts.after_validation(self.keeper.standing.metric, values, alarms)
        if self.observers:
            sheet = self.validator.sheet()
            for observer in self.observers:
                observer.sheet(images, sheet)
        return scores

    def _save_and_stop(self) -> None:
        self.keeper.save(self.session, {})
        images, total = self.session.engine.images, self.session.recipe.length.images or 0
        raise self.stop.error(f"Stopped and saved at {images:,} of {total:,} images; go on with --resume")


class Means:
    """Running means of figures that stay on the device until they are read."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, figures: Mapping[str, Tensor]) -> None:
        """Take in one step's figures."""
        for name, value in figures.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value.clone()
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        """The means since the last call."""
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


def _accuracies(scores: Iterable[DiscriminatorScores]) -> dict[str, float]:
    """How surely each discriminator tells held-out real pictures from made ones: 0.5 is chance, 1 is certainty."""
    return {f"validation/{part.discriminator}_accuracy": held_out_accuracy(part) for part in scores}
