"""From a recipe and a folder of two domains to the splits that a run reads."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pipelines.scoring.heldout import HeldOut, read_held_out, with_made
from pipelines.training.translation.photos import find_photos
from pipelines.training.translation.two import stored_ports, two_domains
from translate.data.description import stated
from translate.data.domains import MadePairs, TwoDomains
from translate.data.holdout import hold_out
from translate.data.items import Layout, Split
from translate.data.layouts import find_layout
from translate.data.samples import Samples
from translate.data.store import Store
from translate.data.truth import with_truth
from translate.errors import DatasetError
from translate.recipe import Recipe

TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """A data set as a recipe sees it.

    A recipe without pairs trains on every picture of both domains. Its held-out splits are pairs, to be scored by,
    where names say so beyond doubt (`translate.data.truth`).
    """

    layout: Layout
    licence: str
    attribution: str
    training: Split
    train: Samples
    validation: Split
    test: Split | None
    recipe: Recipe[Any]

    def cached(self, store: Store) -> Self:
        """The same data, whose training pictures come from a store; what it lacks is made now."""
        return replace(self, train=self.train.cached(store, self.layout.root))

    @property
    def description(self) -> str:
        """How the folder was understood."""
        return self.layout.description

    @cached_property
    def held_out(self) -> HeldOut:
        """The validation pictures that a run scores itself by."""
        return self.read(self.validation, most=self.recipe.validation.most)

    def read(self, split: Split, *, most: int) -> HeldOut:
        """Pictures of a split without augmentation, those with the lowest hashes, and the inputs made from them."""
        held_out = read_held_out(split, stored_ports(self.recipe), self.recipe.augmentation, most=most)
        domains = two_domains(self.recipe)
        return with_made(held_out, domains.making) if isinstance(domains, MadePairs) else held_out

    @property
    def held_out_told(self) -> str:
        """How many pictures those are."""
        return f"{self.held_out.size('a')} validation pictures"

    @property
    def scored(self) -> Split:
        """The split that the report scores: test, or validation where there is none or it lacks a domain."""
        has_all = self.test is not None and self.test.domains.keys() >= self.training.domains.keys()
        return self.test if self.test is not None and has_all else self.validation


def open_data(recipe: Recipe[Any]) -> tuple[Recipe[Any], Data]:
    """Find the splits and hold out validation pictures. Raises DatasetError for a folder that does not fit."""
    found = _found(recipe)
    _require_training(found, recipe)
    paired = two_domains(recipe).paired
    layout = hold_out(found if paired else with_truth(found), recipe.validation.fraction, recipe.validation.most)
    _require_validation(found, layout, recipe)
    training = _as_trained(layout.splits[TRAIN], recipe)
    data = Data(
        layout=layout,
        licence=stated(layout.root, "licence"),
        attribution=stated(layout.root, "attribution"),
        training=training,
        train=Samples(training, stored_ports(recipe), recipe.augmentation, seed=recipe.seed, training=True),
        validation=layout.splits[VALIDATION],
        test=layout.splits.get(TEST),
        recipe=recipe,
    )
    return recipe, data


def _found(recipe: Recipe[Any]) -> Layout:
    two = two_domains(recipe)
    if isinstance(two, MadePairs):
        return find_photos(Path(recipe.data))
    return find_layout(
        Path(recipe.data),
        direction=two.direction,
        a_ports=len(two.a),
        b_ports=len(two.b),
        paired=two.paired,
    )


def _require_training(layout: Layout, recipe: Recipe[Any]) -> None:
    """Both domains, with pictures; a folder of one domain alone is taken for "a"."""
    two = two_domains(recipe)
    if isinstance(two, MadePairs):
        return  # photos were found, and the rest is made from them
    letters = {"a": "A", "b": "B"} if two.direction == "AtoB" else {"a": "B", "b": "A"}
    for domain in _lacking(layout, TRAIN, two):
        raise DatasetError(
            f"{layout.root} has no training pictures of domain {domain}; found: {layout.description}. "
            f"{recipe.method} needs two domains: put these into {layout.root / f'train{letters[domain]}'}"
        )


def _require_validation(found: Layout, layout: Layout, recipe: Recipe[Any]) -> None:
    """Say which folder or option to change where validation pictures are missing."""
    lacking = _lacking(layout, VALIDATION, two_domains(recipe))
    if not lacking:
        return
    if VALIDATION in found.splits:
        raise DatasetError(
            f"{layout.root}: the validation split has no pictures of domain {lacking[0]}; found: {found.description}. "
            "Add the missing folder, or remove the other one, so that validation pictures are held out from training"
        )
    if recipe.validation.fraction == 0 or recipe.validation.most == 0:
        raise DatasetError(
            f"{layout.root} has no validation split, and --validation.fraction {recipe.validation.fraction} with "
            f"--validation.most {recipe.validation.most} holds out nothing: raise them, or add valA and valB"
        )
    raise DatasetError(
        f"{layout.root}: domain {lacking[0]} has a single training picture, so that none can be held out for "
        "validation: add pictures to it, or add valA and valB"
    )


def _lacking(layout: Layout, name: str, two: TwoDomains | MadePairs) -> list[str]:
    split = layout.splits.get(name)
    return [domain for domain in two.stored() if split is None or not split.domains.get(domain)]


def _as_trained(split: Split, recipe: Recipe[Any]) -> Split:
    paired = two_domains(recipe).paired
    if paired and not split.paired:
        raise DatasetError(
            f"{recipe.method} learns from pairs, and the training pictures in {recipe.data} are not paired by name; "
            "give both halves of a pair the same stem, or train cyclegan"
        )
    return replace(split, paired=paired)
