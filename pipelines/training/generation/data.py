"""From a recipe and a folder of one domain to the splits that a run reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipelines.training.generation.few import with_few_labels
from pipelines.training.generation.held_out import HeldOut, read_held_out
from pipelines.training.generation.one import one_domain, sample_port_of
from translate.data.collected import samples_of
from translate.data.collection import ArrayPart, Collection, Part, with_validation
from translate.data.collection_finding import scan_collection
from translate.data.dataset import BatchSource
from translate.data.description import stated
from translate.data.domain import CHANNELS
from translate.data.domains import AUTO, OneDomain
from translate.data.samples import Samples
from translate.data.store import Store
from translate.errors import DatasetError
from translate.recipe import Recipe

_KINDS: Mapping[int, str] = {channels: word for word, channels in CHANNELS.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Data:
    """A data set of one domain as a recipe sees it."""

    collection: Collection
    licence: str
    attribution: str
    train: BatchSource
    recipe: Recipe[Any]

    def cached(self, store: Store) -> Self:
        """The same data, whose training pictures come from a store; what lies in memory stays there."""
        if not isinstance(self.train, Samples):
            return self
        return replace(self, train=self.train.cached(store, self.collection.root))

    @property
    def description(self) -> str:
        """How the folder was understood."""
        return self.collection.description

    @property
    def scored(self) -> str:
        """The split that the report scores: test, or validation where there is none."""
        return "test" if "test" in self.collection.splits else "validation"

    @cached_property
    def held_out(self) -> HeldOut:
        """The validation samples that a run scores itself by."""
        return self.samples("validation", most=self.recipe.validation.most)

    @property
    def held_out_told(self) -> str:
        """How many samples those are."""
        return f"{len(self.held_out)} validation samples"

    def samples(self, split: str, *, most: int) -> HeldOut:
        """Samples of a split in memory, as they are without augmentation; those with the lowest hashes, no others."""
        return read_held_out(self.collection.splits[split], self.recipe, most=most)


def open_data(recipe: Recipe[Any]) -> tuple[Recipe[Any], Data]:
    """Find the splits and hold out validation samples. Raises DatasetError for a folder that does not fit."""
    recipe, found = known(recipe)
    collection = with_validation(found, recipe.validation.fraction, recipe.validation.most)
    if "validation" not in collection.splits:
        raise DatasetError(
            f"{recipe.data}: nothing is held out for validation: raise --validation.fraction, or add samples"
        )
    _require_labels(collection, one_domain(recipe))
    port = sample_port_of(one_domain(recipe))
    part = with_few_labels(collection.train, one_domain(recipe))
    data = Data(
        collection=collection,
        licence=stated(Path(recipe.data), "licence"),
        attribution=stated(Path(recipe.data), "attribution"),
        train=samples_of(part, port, recipe.augmentation, seed=recipe.seed, training=True),
        recipe=recipe,
    )
    return recipe, data


def _require_labels(collection: Collection, domain: OneDomain) -> None:
    for name, part in collection.splits.items():
        if domain.labelled and part.labels is None:
            raise DatasetError(
                f"{collection.root}: the {name} samples have no classes, and the training samples do: put them into a "
                "folder for each class too (or add their labels), or take them away"
            )


def known(recipe: Recipe[Any]) -> tuple[Recipe[Any], Collection]:
    """The recipe with what its data set says filled in, and the data set.

    Raises DatasetError for what cannot be understood, or lacks the classes that the recipe learns from.
    """
    domain = one_domain(recipe)
    found = scan_collection(Path(recipe.data), names=domain.classes)
    return replace(recipe, domains=_known(domain, found, recipe)), found


def _known(domain: OneDomain, found: Collection, recipe: Recipe[Any]) -> OneDomain:
    if domain.labelled and not found.is_labelled:
        raise DatasetError(
            f"{recipe.data}: {recipe.method} learns from classes, and these samples have none: put the pictures of "
            f"each class into a folder of its name, or add labels (found: {found.description})"
        )
    kind = _kind(found.train) if domain.x == AUTO else domain.x
    return replace(domain, x=kind, classes=found.names if domain.labelled else ())


def _kind(part: Part) -> str:
    """Pictures in files are taken for colours: none is opened to find out."""
    if not isinstance(part, ArrayPart):
        return "rgb"
    if part.are_points:
        return f"vector:{part.values.shape[1]}"
    channels = int(np.shape(part.values)[3])
    if channels not in _KINDS:
        raise DatasetError(f"{part.path}: pictures of {channels} channels are neither grey nor RGB nor RGBA")
    return _KINDS[channels]
