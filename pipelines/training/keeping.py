"""Checkpoints of a session: what is stored beside the engine's state, and which checkpoint is best."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Self

from pipelines.runs import CARDS, RECIPE, STANDING, RunFolder
from pipelines.scoring.judge import Score
from pipelines.scoring.measures import LAST, MEASURES
from pipelines.training.session import Session
from translate.card import Card
from translate.checkpoint import snapshot_of
from translate.method import Deploy
from translate.recipe import Recipe, fingerprint, to_json
from translate.storage.shelf import Shelf

_PACKAGES = ("pixturn", "torch", "torchvision", "kornia", "albumentations", "numpy", "pillow")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The best validation so far, by a named measure; it is part of every checkpoint, so that a resume knows it.

    Where the newest weights are to be the best (`last`), `images` stays None: checkpoints are newer than validations.
    """

    metric: str
    value: float | None = None
    images: int | None = None
    scores: Mapping[str, float] | None = None

    def after(self, images: int, scores: Mapping[str, Score]) -> Self:
        """The standing after a validation."""
        if self.metric == LAST:
            return type(self)(metric=LAST, scores={name: part.value for name, part in scores.items()})
        score = scores.get(self.metric)
        if score is None or not self._beats(score.value):
            return self
        values = {name: score.value for name, score in scores.items()}
        return type(self)(metric=self.metric, value=score.value, images=images, scores=values)

    def _beats(self, value: float) -> bool:
        """A score that is not finite beats nothing, and nothing would beat it."""
        if not math.isfinite(value):
            return False
        return self.value is None or MEASURES[self.metric].is_better(value, self.value)


class Keeper:
    """Saves a session's checkpoints into its run folder: the last three and the best."""

    def __init__(self, folder: RunFolder, standing: Standing) -> None:
        self.standing = standing
        self._folder = folder
        self.shelf = Shelf(folder.snapshots)

    def save(self, session: Session, scores: Mapping[str, Score]) -> None:
        """Save now. Raises StorageError where there is no room, DivergedError where a weight is not finite."""
        recipe = session.recipe
        documents = {
            RECIPE: json.loads(to_json(recipe)),
            CARDS: cards(session, self._folder.name, {name: score.value for name, score in scores.items()}),
            STANDING: asdict(self.standing),
        }
        snapshot = snapshot_of(session.engine, documents)
        if snapshot is not None:
            self.shelf.save(session.engine.images, snapshot, best=self.standing.images)
        session.engine.processes.wait()


def cards(session: Session, name: str, scores: Mapping[str, float]) -> dict[str, Any]:
    """The card of every deploy, as JSON documents, by the deploy's name."""
    deploys = session.engine.averaged.method.deploys()
    return {key: json.loads(_card(session, name, deploy, scores).to_json()) for key, deploy in deploys.items()}


def _card(session: Session, name: str, deploy: Deploy, scores: Mapping[str, float]) -> Card:
    recipe: Recipe[Any] = session.recipe
    return Card(
        task=deploy.task,
        method=recipe.method,
        name=name,
        inputs=deploy.inputs,
        outputs=deploy.outputs,
        scale=deploy.scale,
        tiling=deploy.tiling,
        data="; ".join(filter(None, (session.data.description, session.data.attribution))),
        licence=session.data.licence,
        metrics=scores,
        images_seen=session.engine.images,
        recipe_sha256=fingerprint(recipe),
        versions={package: version(package) for package in _PACKAGES},
    )
