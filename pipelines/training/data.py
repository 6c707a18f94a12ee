"""From a recipe and a folder to the splits that a run reads."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from translate.data.holdout import hold_out
from translate.data.items import Layout, Split
from translate.data.layouts import find_layout
from translate.data.samples import Samples
from translate.errors import DatasetError
from translate.recipe import Recipe

DESCRIPTION = "dataset.json"
TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True, kw_only=True)
class Data:
    """A data set as a recipe sees it. Held-out splits keep their pairing, even where training may not see it."""

    layout: Layout
    licence: str
    training: Split
    train: Samples
    validation: Split
    test: Split | None

    @property
    def scored(self) -> Split:
        """The split that the report scores: test, or validation where there is none or it lacks a domain."""
        has_all = self.test is not None and self.test.domains.keys() >= self.training.domains.keys()
        return self.test if self.test is not None and has_all else self.validation


def open_data(recipe: Recipe[Any]) -> Data:
    """Find the splits and hold out validation pictures. Raises DatasetError for a folder that does not fit."""
    found = find_layout(
        Path(recipe.data),
        direction=recipe.direction,
        a_ports=len(recipe.a),
        b_ports=len(recipe.b),
        paired=recipe.paired or None,  # unpaired training may still be scored by the pairs that names make
    )
    layout = hold_out(found, recipe.validation.fraction, recipe.validation.most)
    for name in (TRAIN, VALIDATION):
        _require(layout, name)
    training = _as_trained(layout.splits[TRAIN], recipe)
    spec = recipe.spec()
    return Data(
        layout=layout,
        licence=_licence(layout.root),
        training=training,
        train=Samples(training, spec.domains, recipe.augmentation, seed=recipe.seed, training=True),
        validation=layout.splits[VALIDATION],
        test=layout.splits.get(TEST),
    )


def _require(layout: Layout, name: str) -> None:
    split = layout.splits.get(name)
    if split is None or len(split) == 0:
        raise DatasetError(f"{layout.root} has no {name} pictures; found: {layout.description}")


def _as_trained(split: Split, recipe: Recipe[Any]) -> Split:
    if recipe.paired and not split.paired:
        raise DatasetError(
            f"{recipe.method} learns from pairs, and the training pictures in {recipe.data} are not paired by name; "
            "give both halves of a pair the same stem, or train cyclegan"
        )
    return replace(split, paired=recipe.paired)


def _licence(root: Path) -> str:
    """The licence that the folder states in its `dataset.json`, if it has one."""
    try:
        return str(json.loads((root / DESCRIPTION).read_text(encoding="utf-8")).get("licence", ""))
    except (OSError, ValueError, AttributeError):
        return ""
