"""The data set as torch sees it: an address (epoch, index) gives the tensors of one sample, whoever asks."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from translate.card import PicturePort
from translate.data.augmentation import Augmentation, EvaluationTransform, TrainingTransform
from translate.data.dataset import Address, Collated
from translate.data.domains import LABEL
from translate.data.items import Split
from translate.data.quarantine import Refusal
from translate.data.randomness import Purpose, permutation
from translate.data.reading import SampleReader
from translate.data.store import Kept, Preparation, Store
from translate.errors import DatasetError, PictureError

Pictures = dict[str, np.ndarray]

_LARGEST_TOLERATED = 100


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Tensors by port name: uint8 C x H x W for pictures, uint8 or int32 H x W for label maps, one int64 for `label`.

    `refused` are the pictures that could not be read on the way and were replaced by the next readable ones. If
    more than the tolerated number stood in a row, `tensors` is empty and the run should stop.
    """

    tensors: Mapping[str, Tensor]
    refused: tuple[Refusal, ...] = ()


class Samples(Dataset[Sample]):
    """A split of a data set, read and transformed.

    Paired domains share the index, one geometric draw, and, if a picture turns out bad, the replacement. Unpaired
    domains are independent: the longest shows each of its items once in an epoch, the others meet it in an order
    that is drawn anew for each epoch, as evenly often as their lengths allow.

    In training, a picture that cannot be read is replaced by the next item and reported; in evaluation the
    PictureError comes through, since a figure must not quietly count another picture.

    `labels` are the classes of the items of the only domain, N integers; they come out as `label`, and a picture that
    replaces another brings its own.
    """

    def __init__(
        self,
        split: Split,
        ports: Mapping[str, tuple[PicturePort, ...]],
        augmentation: Augmentation,
        *,
        seed: int,
        training: bool,
        labels: Sequence[int] | np.ndarray | None = None,
    ) -> None:
        _require_items(split, ports)
        _require_labels(split, ports, labels)
        self._split = split
        self._ports = ports
        self._augmentation = augmentation
        self._seed = seed
        self._training = training
        domains = list(ports)
        self._longest = max(domains, key=lambda domain: len(split.domains[domain]))  # the first of equals
        self._groups = [domains] if split.paired else [[domain] for domain in domains]
        self._kept: dict[str, Kept] = {}
        self._labels = None if labels is None else torch.tensor(labels, dtype=torch.int64)
        self._transforms = [self._transform(augmentation, group) for group in self._groups]
        self.tolerated = _tolerated(split, ports)
        """How many pictures may turn out bad before a run stops: 1 percent, at least 3 and at most 100."""

    def cached(self, store: Store, root: Path) -> "Samples":
        """The same samples, bit by bit, with their pictures from a store, which makes now what it lacks.

        Only for training: evaluation reads each picture once.

        Args:
            store: where they are kept.
            root: the data set's folder.

        Raises:
            ConfigurationError: the store's folder cannot be written.
            StorageError: its disk is full.
        """
        if not self._training:
            raise ValueError("Only training samples are kept")
        cached = copy(self)
        cached._kept = {group[0]: self._keep(store, root, group) for group in self._groups}
        return cached

    def _keep(self, store: Store, root: Path, group: list[str]) -> Kept:
        """The pictures of all domains that share a sample."""
        together = zip(*(self._split.domains[domain] for domain in group), strict=True)
        items = [tuple(source for item in sample for source in item.sources) for sample in together]
        ports = tuple(port for domain in group for port in self._ports[domain])
        return store.keep(root, items, Preparation(ports=ports, augmentation=self._augmentation))

    def __len__(self) -> int:
        """Samples in an epoch."""
        return len(self._split.domains[self._longest])

    def __getitem__(self, address: Address) -> Sample:
        """The sample at (epoch, index).

        Raises:
            PictureError: in evaluation, for a picture that cannot be read.
        """
        epoch, index = address
        tensors: dict[str, Tensor] = {}
        refused: list[Refusal] = []
        for group, transform in zip(self._groups, self._transforms, strict=True):
            found = self._read(group, epoch, index, refused)
            if found is None:
                return Sample(tensors={}, refused=tuple(refused))
            place, pictures = found
            placed = transform(pictures, epoch=epoch, index=index)
            tensors.update({name: _to_tensor(picture) for name, picture in placed.items()})
            if self._labels is not None:
                tensors[LABEL] = self._labels[place]
        return Sample(tensors=tensors, refused=tuple(refused))

    def __getitems__(self, addresses: Sequence[Address]) -> Collated:
        """The samples at these addresses as one batch; errors as `__getitem__`."""
        samples = [self[address] for address in addresses]
        refused = [refusal for sample in samples for refusal in sample.refused]
        if not all(sample.tensors for sample in samples):
            return {}, refused
        return default_collate([dict(sample.tensors) for sample in samples]), refused

    def _transform(self, augmentation: Augmentation, group: list[str]) -> TrainingTransform | EvaluationTransform:
        ports = {domain: self._ports[domain] for domain in group}
        if self._training:
            return TrainingTransform(augmentation, ports, seed=self._seed)
        return EvaluationTransform(augmentation, ports)

    def _read(self, group: list[str], epoch: int, index: int, refused: list[Refusal]) -> tuple[int, Pictures] | None:
        """The group's item at `index`, or the first readable one after it, with its place in the split.

        None if too many in a row are bad.
        """
        length = len(self._split.domains[group[0]])
        place = self._place(group[0], epoch, index)
        for step in range(min(length, self.tolerated + 1)):
            here = (place + step) % length
            pictures = self._read_item(group, here, refused)
            if pictures is not None:
                return here, pictures
        return None

    def _place(self, domain: str, epoch: int, index: int) -> int:
        length = len(self._split.domains[domain])
        if self._split.paired or domain == self._longest:
            return index
        if not self._training:
            return index % length
        return int(permutation(self._seed, Purpose.PARTNER, epoch, length)[index % length])

    def _read_item(self, group: list[str], place: int, refused: list[Refusal]) -> Pictures | None:
        kept = self._kept.get(group[0])
        pictures = None if kept is None else kept.pictures(place)
        return self._read_files(group, place, refused) if pictures is None else pictures

    def _read_files(self, group: list[str], place: int, refused: list[Refusal]) -> Pictures | None:
        pictures: Pictures = {}
        read = SampleReader()
        for domain in group:
            for port, source in zip(self._ports[domain], self._split.domains[domain][place].sources, strict=True):
                try:
                    pictures[port.name] = read(source, port)
                except PictureError as problem:
                    if not self._training:
                        raise
                    refused.append((str(source.path), str(problem)))
                    return None
        return pictures


def _require_items(split: Split, ports: Mapping[str, tuple[PicturePort, ...]]) -> None:
    for domain, domain_ports in ports.items():
        items = split.domains.get(domain, ())
        if not items:
            there = ", ".join(f"{len(found)} of {name}" for name, found in split.domains.items()) or "none"
            raise DatasetError(
                f"Domain {domain} has no pictures in this split (there are {there}): `pixturn check` on the folder "
                "says what was found"
            )
        for item in items:
            if len(item.sources) != len(domain_ports):
                raise DatasetError(
                    f"{item.sources[0].path}: sample {item.key!r} has {len(item.sources)} pictures in domain {domain} "
                    f"where {len(domain_ports)} are needed; add the missing one or change the domain's kinds"
                )


def _require_labels(
    split: Split, ports: Mapping[str, tuple[PicturePort, ...]], labels: Sequence[int] | np.ndarray | None
) -> None:
    counts = [len(split.domains[domain]) for domain in ports]
    if labels is not None and counts != [len(labels)]:
        raise DatasetError(
            f"There are {len(labels)} labels for {counts} samples: give one domain, and a label for each"
        )


def _tolerated(split: Split, ports: Mapping[str, tuple[PicturePort, ...]]) -> int:
    pictures = sum(len(item.sources) for domain in ports for item in split.domains[domain])
    return min(_LARGEST_TOLERATED, max(3, pictures // 100))


def _to_tensor(picture: np.ndarray) -> Tensor:
    channels_first = picture.transpose(2, 0, 1) if picture.ndim == 3 else picture
    return torch.from_numpy(np.require(channels_first, requirements=["C", "W"]))
