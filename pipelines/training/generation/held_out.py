"""Held-out samples in memory, with their classes where they have some."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pipelines.training.generation.one import one_domain, sample_port_of
from translate.card import Label, Picture, Port, Vector
from translate.data.augmentation import Augmentation
from translate.data.collected import samples_of
from translate.data.collection import Part
from translate.data.dataset import read_tensors
from translate.data.domains import LABEL, X
from translate.data.holdout import hash_of
from translate.data.tensors import assemble
from translate.method import Batch
from translate.recipe import Recipe

BATCH = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """N samples as they are stored (uint8 N x C x H x W, or float32 N x D), and N classes or None."""

    port: Picture | Vector
    stored: Tensor
    labels: Tensor | None
    keys: tuple[str, ...]
    learns_classes: bool

    def __len__(self) -> int:
        return len(self.stored)

    def tensor(self, start: int, stop: int, device: torch.device) -> Tensor:
        """Some of them as networks see them: float32, pictures in [-1, 1]."""
        return self._seen(self.stored[start:stop], device)

    def chosen(self, places: Tensor, device: torch.device) -> Tensor:
        """Those at certain places, as `tensor` gives them."""
        return self._seen(self.stored[places], device)

    def _seen(self, stored: Tensor, device: torch.device) -> Tensor:
        return assemble((self.port,), {self.port.name: stored}, device)

    def batches(self, device: torch.device) -> Iterator[Tensor]:
        """All of them, some at a time."""
        for start in range(0, len(self), BATCH):
            yield self.tensor(start, start + BATCH, device)

    def given(self, inputs: Sequence[Port], device: torch.device) -> Iterator[tuple[Tensor, ...]]:
        """All of them, some at a time, as a deploy with these input ports takes them: with classes if it wants them."""
        wants_labels = any(isinstance(port, Label) for port in inputs)
        for start, part in zip(range(0, len(self), BATCH), self.batches(device), strict=True):
            labels = self.labels[start : start + BATCH].to(device) if wants_labels and self.labels is not None else None
            yield (part,) if labels is None else (part, labels)

    def batch(self, count: int, device: torch.device) -> Batch:
        """The first `count`, for a method's discriminators to judge."""
        tensors = {X: self.tensor(0, count, device)}
        if self.learns_classes and self.labels is not None:
            tensors[LABEL] = self.labels[:count].to(device)
        return Batch(tensors)

    def pixels(self) -> np.ndarray:
        """Pictures as people see them: N x H x W x C uint8."""
        require_picture(self.port)
        return self.stored.permute(0, 2, 3, 1).numpy()

    @property
    def picture_port(self) -> Picture:
        """What a picture is. Raises TypeError for points."""
        return require_picture(self.port)

    @property
    def are_pictures(self) -> bool:
        """Whether these are pictures rather than points."""
        return isinstance(self.port, Picture)


def require_picture(port: Picture | Vector) -> Picture:
    """The port. Raises TypeError for points."""
    if not isinstance(port, Picture):
        raise TypeError("these are points, not pictures")
    return port


def read_held_out(part: Part, recipe: Recipe[Any], *, most: int) -> HeldOut:
    """At most so many samples of a split, as a recipe sees them. Raises PictureError for one that cannot be read."""
    domain = one_domain(recipe)
    return held_out_of(part, sample_port_of(domain), recipe.augmentation, learns_classes=domain.labelled, most=most)


def held_out_of(
    part: Part, port: Picture | Vector, augmentation: Augmentation, *, learns_classes: bool, most: int
) -> HeldOut:
    """At most so many samples of a split, brought to their size and not augmented.

    They stand in the order of their keys' hashes: data sets are often sorted by class, and the first few are looked at.

    Args:
        part: The split.
        port: What a sample is.
        augmentation: Says to which size.
        learns_classes: Whether the model knows the samples' classes.
        most: Those with the lowest hashes.

    Raises:
        PictureError: One cannot be read.
        DatasetError: The samples are not what the port says.
    """
    keys = part.keys
    chosen = sorted(range(len(part)), key=lambda index: hash_of(keys[index]))[:most]
    tensors = read_tensors(samples_of(part, port, augmentation, seed=0, training=False), chosen)
    return HeldOut(
        port=port,
        stored=tensors[X],
        labels=tensors.get(LABEL),
        keys=tuple(keys[index] for index in chosen),
        learns_classes=learns_classes,
    )
