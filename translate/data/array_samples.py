"""Samples that lie in memory: a batch is one gather, unless they are to be turned and cut one by one."""

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from translate.card import Picture
from translate.data.augmentation import Augmentation, EvaluationTransform, TrainingTransform
from translate.data.dataset import Address, Collated
from translate.data.domains import LABEL, X
from translate.data.randomness import Purpose, domain_code, generator


class ArraySamples(Dataset[Tensor]):
    """Pictures of the size that is trained with, or points; a batch is one gather.

    `mirror_seed`: mirror left to right half of the pictures, others in each epoch, drawn from this seed; None: as
    they are.
    """

    def __init__(
        self, name: str, values: Tensor, labels: Tensor | None = None, *, mirror_seed: int | None = None
    ) -> None:
        """Take tensors.

        Args:
            name: the port.
            values: uint8 N x C x H x W, or float32 N x D.
            labels: int64 N.
            mirror_seed: see above; for pictures only.
        """
        self._name = name
        self._values = values
        self._labels = labels
        self._mirror_seed = mirror_seed
        self.tolerated = 0
        """Nothing is read, so nothing can turn bad."""

    def __len__(self) -> int:
        """Samples in an epoch."""
        return len(self._values)

    def __getitem__(self, address: Address) -> Tensor:
        """One sample without its label, C x H x W or D."""
        return self.__getitems__([address])[0][self._name][0]

    def __getitems__(self, addresses: Sequence[Address]) -> Collated:
        """The samples at these addresses as one batch."""
        indices = torch.tensor([index for _, index in addresses])
        values = self._values.index_select(0, indices)
        if self._mirror_seed is not None:
            chosen = [bool(_mirrored(self._mirror_seed, epoch, len(self))[index]) for epoch, index in addresses]
            pixels = values.numpy()  # which turns bytes around many times as fast as torch does
            pixels[chosen] = pixels[chosen, ..., ::-1]
        return _labelled({self._name: values}, self._labels, indices), []


class TransformedArraySamples(Dataset[Tensor]):
    """Pictures in memory that are resized, turned and cut one by one, as those of folders are."""

    def __init__(
        self,
        port: Picture,
        pictures: np.ndarray,
        labels: Tensor | None,
        augmentation: Augmentation,
        *,
        seed: int,
        training: bool,
    ) -> None:
        """Take arrays.

        Args:
            port: what the pictures are.
            pictures: uint8 N x H x W x C, of the port's channels.
            labels: int64 N.
            augmentation: what to do with them.
            seed: decides every draw.
            training: whether anything is drawn.
        """
        ports = {X: (port,)}
        self._name = port.name
        self._pictures = pictures
        self._labels = labels
        self._transform = (
            TrainingTransform(augmentation, ports, seed=seed) if training else EvaluationTransform(augmentation, ports)
        )
        self.tolerated = 0
        """Nothing is read, so nothing can turn bad."""

    def __len__(self) -> int:
        """Samples in an epoch."""
        return len(self._pictures)

    def __getitem__(self, address: Address) -> Tensor:
        """One picture without its label, C x H x W uint8."""
        epoch, index = address
        placed = self._transform({self._name: self._pictures[index]}, epoch=epoch, index=index)[self._name]
        return torch.from_numpy(np.ascontiguousarray(placed.transpose(2, 0, 1)))

    def __getitems__(self, addresses: Sequence[Address]) -> Collated:
        """The samples at these addresses as one batch."""
        indices = torch.tensor([index for _, index in addresses])
        values = torch.stack([self[address] for address in addresses])
        return _labelled({self._name: values}, self._labels, indices), []


def _labelled(tensors: dict[str, Tensor], labels: Tensor | None, indices: Tensor) -> dict[str, Tensor]:
    return tensors if labels is None else {**tensors, LABEL: labels.index_select(0, indices)}


@functools.lru_cache(maxsize=4)
def _mirrored(seed: int, epoch: int, length: int) -> np.ndarray:
    """Which samples an epoch mirrors. One draw for all of them: one for each costs more than the gather."""
    return generator(seed, Purpose.GEOMETRY, domain_code(X), epoch).integers(0, 2, length, dtype=np.bool_)
