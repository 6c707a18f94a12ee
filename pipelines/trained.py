"""A run's weights for use with torch: the best checkpoint, or the newest where none was scored."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch

from pipelines.methods import method_class
from pipelines.runs import CARDS, PROGRESS, RECIPE, STANDING, RunFolder
from translate.averaging import load_deployed
from translate.card import Card
from translate.checkpoint import AVERAGED, NETWORKS
from translate.errors import ConfigurationError, ModelError
from translate.method import Method
from translate.recipe import Recipe, from_json
from translate.runtime.torch import TorchRuntime
from translate.storage.shelf import Shelf
from translate.storage.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """A method with the weights that users get, in evaluation mode, and the checkpoint that they come from.

    `images` is how far the run is, by its newest checkpoint.
    """

    recipe: Recipe[Any]
    method: Method
    cards: dict[str, Card]
    snapshot: Snapshot
    images: int

    @classmethod
    def read(cls, folder: RunFolder) -> "Trained":
        """The best weights of a run, with all else in its checkpoint. Raises ModelError where none is whole."""
        return cls._of(folder, tensors=None)

    @classmethod
    def for_use(cls, folder: RunFolder) -> "Trained":
        """As `read`, but of the checkpoint's tensors only those that users get are read and checked: a quarter."""
        return cls._of(folder, tensors=(AVERAGED,))

    @classmethod
    def _of(cls, folder: RunFolder, tensors: Collection[str] | None) -> "Trained":
        snapshot, images = _best_and_progress(folder, tensors)
        recipe = stored_recipe(snapshot)
        method = method_class(recipe.method)(recipe.config, recipe.spec())
        try:
            load_deployed(method, dict(snapshot.tensors[AVERAGED]))
        except (KeyError, RuntimeError) as problem:
            raise ModelError(f"The checkpoint in {folder.path} does not fit its recipe: {problem}") from problem
        cards = {name: Card.from_json(json.dumps(document)) for name, document in snapshot.document(CARDS).items()}
        return cls(recipe=recipe, method=method.eval(), cards=cards, snapshot=snapshot, images=images)

    def playing(self) -> Method:
        """The method with the weights that play the game, discriminators too, rather than the averaged ones."""
        method = type(self.method)(self.recipe.config, self.recipe.spec())
        method.load_state(self.snapshot.tensors[NETWORKS])
        return method.eval()

    def runtime(self, deploy: str | None, device: torch.device) -> TorchRuntime:
        """A runtime for one deploy (the first if None). Raises ConfigurationError for one that is not there."""
        deploys = self.method.deploys()
        name = deploy or next(iter(deploys))
        if name not in deploys:
            raise ConfigurationError(f"{self.recipe.method} has {', '.join(deploys)}, not {name}")
        return TorchRuntime(deploys[name], self.cards[name], device)


def best_snapshot(folder: RunFolder) -> Snapshot:
    """The checkpoint that scored best; the newest where none was scored or the best one is damaged."""
    return _best_and_progress(folder, tensors=None)[0]


def _best_and_progress(folder: RunFolder, tensors: Collection[str] | None) -> tuple[Snapshot, int]:
    """The best checkpoint, and the images seen at the newest: each is read, and its hashes checked, once."""
    shelf = Shelf(folder.snapshots)
    newest = shelf.newest(tensors)
    images, best = newest.document(PROGRESS)["images"], newest.document(STANDING)["images"]
    if best in (None, images) or best not in shelf.all():
        return newest, images
    try:
        return shelf.read(best, tensors), images
    except ModelError:
        return newest, images


def stored_recipe(snapshot: Snapshot) -> Recipe[Any]:
    """The recipe in a checkpoint."""
    return from_json(json.dumps(snapshot.document(RECIPE)), config_class)


def config_class(method: str) -> type[Any]:
    """The Config class of a method by its name."""
    return method_class(method).Config
