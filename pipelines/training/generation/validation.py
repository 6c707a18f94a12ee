"""Scores what a running session generates, reconstructs and classifies, with the averaged weights."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from pipelines.generating.generate import Generate
from pipelines.generating.show import shown_samples
from pipelines.scoring.judge import Judge, Score, distances
from pipelines.tasks import GENERATE
from pipelines.training.evaluation import discriminator_scores, evaluating, judged_count
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.generation.made import (
    CLASSIFY,
    RECONSTRUCT,
    classify_score,
    made_samples,
    reconstruction_scores,
    reconstructions,
)
from pipelines.training.offered import offered
from pipelines.training.session import Session
from translate.card import Card
from translate.method import Deploy
from translate.metrics.distribution import Embeddings
from translate.metrics.energy import energy_distance
from translate.metrics.finding import Finding
from translate.metrics.health_balance import check_game
from translate.metrics.health_discriminator import DiscriminatorScores
from translate.metrics.health_samples import check_diversity_history
from translate.metrics.sample_diversity import FEWEST_SAMPLES, sample_diversity
from translate.runtime.torch import TorchRuntime

SEED = 0
"""Of the samples that are scored and shown: the same noise every time."""
_SHOWN = 64
_JUDGED = 128
_WATCHED = 256
_LASTING = 3
"""Every game begins with a discriminator that wins; three validations in a row are no beginning."""


class Validator:
    """Scores each of a session's deploys in its own way."""

    def __init__(self, session: Session, held_out: HeldOut) -> None:
        self._session = session
        self._held_out = held_out
        self._device = session.engine.device
        self._judge = Judge(self._device) if held_out.are_pictures else None
        self._real: Embeddings | None = None
        self._diversity: list[float] = []
        """At every validation, 1 where samples vary as real ones do."""
        self._in_a_row: Counter[str] = Counter()
        """Validations that found the same thing, by its code."""

    def measure(self) -> dict[str, Score]:
        """See `pipelines.training.kit.Validator`."""
        method = self._session.engine.averaged.method
        scores: dict[str, Score] = {}
        with evaluating(method):
            for name, deploy in method.deploys().items():
                scores |= self._measured(name, deploy)
        return scores

    def _measured(self, name: str, deploy: Deploy) -> dict[str, Score]:
        if deploy.task == GENERATE:
            return self._of_samples(deploy)
        if name == CLASSIFY and self._held_out.labels is not None and self._held_out.learns_classes:
            return {"class_accuracy": classify_score(deploy, self._held_out, self._device)}
        if name == RECONSTRUCT and self._judge is not None:
            return reconstruction_scores(deploy, self._held_out, self._device)
        return {}

    def _of_samples(self, deploy: Deploy) -> dict[str, Score]:
        made = torch.from_numpy(made_samples(self._generate(deploy), self._held_out, SEED)).to(self._device)
        real = self._held_out.tensor(0, len(self._held_out), self._device)
        self._watch(made, real)
        if self._judge is not None:
            if self._real is None:
                self._real = self._judge.embedded(self._held_out.batches(self._device))
            return dict(distances(self._judge.embedded(made.split(64)), self._real).overall)
        return {"energy": Score(value=energy_distance(made, real), standard_error=None, pictures=len(real))}

    def sheet(self) -> np.ndarray:
        """See `pipelines.training.kit.Validator`."""
        method = self._session.engine.averaged.method
        deploys = method.deploys()
        with evaluating(method):
            if RECONSTRUCT in deploys and self._held_out.are_pictures:
                return reconstructions(deploys[RECONSTRUCT], self._held_out, self._device)
            deploy = next(deploy for deploy in deploys.values() if deploy.task == GENERATE)
            real = None if self._held_out.are_pictures else self._held_out.stored.numpy()
            image = shown_samples(self._generate(deploy), _SHOWN, seed=SEED, real=real)
        return np.asarray(image.convert("RGB"))

    def discriminator_scores(self) -> list[DiscriminatorScores]:
        """See `pipelines.training.kit.Validator`."""
        engine = self._session.engine
        count = judged_count(engine.method, min(_JUDGED, len(self._held_out)))
        if not count:
            return []
        with engine.autocast():
            return discriminator_scores(engine.method, self._held_out.batch(count, engine.device))

    def alarms(self, scores: Sequence[DiscriminatorScores]) -> Iterable[Finding]:
        """A game that stays out of balance, and variety that falls or stays away."""
        remedies = offered(self._session.recipe)
        found = [finding for part in scores for finding in check_game(part, remedies=remedies)]
        now = {finding.code for finding in found}
        self._in_a_row = Counter({code: self._in_a_row[code] + 1 for code in now})
        yield from (finding for finding in found if self._in_a_row[finding.code] >= _LASTING)
        yield from check_diversity_history(np.array(self._diversity), remedies=remedies)

    def _watch(self, made: Tensor, real: Tensor) -> None:
        if len(real) < FEWEST_SAMPLES:
            return
        labels = self._held_out.labels
        seen = None if labels is None else labels[:_WATCHED]
        diversity = sample_diversity(made[:_WATCHED].cpu(), real[:_WATCHED].cpu(), real_labels=seen)
        self._diversity.append(diversity.least)

    def _generate(self, deploy: Deploy) -> Generate:
        card = Card(task=deploy.task, method="", name="", inputs=deploy.inputs, outputs=deploy.outputs)
        return Generate(TorchRuntime(deploy, card, self._device))
