"""A data set of one domain, `x`, with or without a class for each sample: its splits, in files or in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from translate.data.holdout import held_out_keys
from translate.data.items import Item

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class FilePart:
    """A split whose pictures are files; they are read when they are asked for. `labels`: N classes, or None."""

    folder: Path
    items: tuple[Item, ...]
    labels: Labels | None = None

    def __len__(self) -> int:
        return len(self.items)

    @property
    def keys(self) -> tuple[str, ...]:
        """The samples' names: paths below the split's folder, without extension."""
        return tuple(item.key for item in self.items)

    def take(self, indices: Sequence[int]) -> Self:
        """Some of the samples, in this order."""
        labels = None if self.labels is None else self.labels[list(indices)]
        return replace(self, items=tuple(self.items[index] for index in indices), labels=labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayPart:
    """A split in memory: uint8 N x H x W x C for pictures, float32 N x D for points.

    `rows` are the samples' places in the file, from 0. `labels`: N classes, or None.
    """

    path: Path
    values: npt.NDArray[np.uint8] | npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]
    labels: Labels | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def keys(self) -> tuple[str, ...]:
        """The samples' names: their places in the file."""
        return tuple(str(row) for row in self.rows.tolist())

    @property
    def are_points(self) -> bool:
        """Whether these are points rather than pictures."""
        return self.values.ndim == 2

    def take(self, indices: Sequence[int]) -> Self:
        """Some of the samples, in this order; a copy."""
        where = np.asarray(indices, np.int64)
        labels = None if self.labels is None else self.labels[where]
        return replace(self, values=self.values[where], rows=self.rows[where], labels=labels)


Part = FilePart | ArrayPart


@dataclass(frozen=True, kw_only=True, eq=False)
class Collection:
    """What was found: splits by name ("train", "validation", "test"), the classes' names, and how to say it.

    `names` is empty where the training samples have no labels.
    """

    root: Path
    splits: Mapping[str, Part]
    names: tuple[str, ...]
    description: str

    @property
    def train(self) -> Part:
        """The samples to train on."""
        return self.splits["train"]

    @property
    def is_labelled(self) -> bool:
        """Whether each training sample has a class."""
        return self.train.labels is not None


def with_validation(collection: Collection, fraction: float, most: int) -> Collection:
    """Hold a validation split out from the training samples, unless there is one: by the rule of `holdout.hold_out`.

    Of files the key is the path below the training folder, of arrays the place in the file.

    Args:
        collection: What was found.
        fraction: Of the training samples, 0 to below 1; 0 holds out nothing.
        most: Samples at most.

    Raises:
        ConfigurationError: For a fraction or a count out of range.
    """
    keys = collection.train.keys
    held = held_out_keys(keys, fraction, most)
    if "validation" in collection.splits or not held:
        return collection
    kept = {
        "train": collection.train.take([index for index, key in enumerate(keys) if key not in held]),
        "validation": collection.train.take([index for index, key in enumerate(keys) if key in held]),
    }
    words = f"{collection.description}; of the training samples, {len(held)} held out for validation"
    return replace(collection, splits={**collection.splits, **kept}, description=words)
