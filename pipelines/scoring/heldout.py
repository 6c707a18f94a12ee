"""Held-out pictures in memory, as the bytes that networks are given; inputs that are made from photos among them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from translate.card import LabelMap, PicturePort, picture_ports
from translate.data.augmentation import Augmentation
from translate.data.holdout import hash_of
from translate.data.items import Item, Split
from translate.data.making import Making
from translate.data.making.maker import held_out_draws
from translate.data.samples import Samples
from translate.data.tensors import assemble, to_uint8

BATCH = 8
_PLACES = 2**62
_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """The pictures of a split, resized to the training crop. `paired`: the i-th of all domains belong together.

    What is made of the pictures for the method to enlarge is smaller than they are.
    """

    keys: Mapping[str, tuple[str, ...]]
    ports: Mapping[str, tuple[PicturePort, ...]]
    arrays: Mapping[str, Tensor]
    paired: bool

    def size(self, domain: str) -> int:
        """Pictures in a domain."""
        return len(self.keys[domain])

    def batches(self, domain: str, device: torch.device) -> Iterator[Tensor]:
        """The domain's tensors, N x C x H x W in [-1, 1], a few at a time."""
        for start in range(0, self.size(domain), BATCH):
            yield self.tensor(domain, slice(start, min(start + BATCH, self.size(domain))), device)

    def sample(self, domain: str, most: int) -> list[int]:
        """Indices of at most `most` pictures, in order: those whose keys have the lowest hashes, so without a bias."""
        return _lowest(self.keys[domain], most)

    def tensor(self, domain: str, which: slice | Sequence[int], device: torch.device) -> Tensor:
        """Some of the domain's pictures, N x C x H x W in [-1, 1]."""
        ports = self.ports[domain]
        return assemble(ports, {port.name: self.arrays[port.name][which] for port in ports}, device)

    def pixels(self, domain: str, index: int) -> np.ndarray:
        """The first port's picture as it is stored: H x W x C uint8, or the classes of a label map, H x W x 1."""
        port = self.ports[domain][0]
        return to_uint8(self.tensor(domain, slice(index, index + 1), torch.device("cpu"))[:, : port.channels], port)[0]

    def shown(self, domain: str, index: int) -> np.ndarray:
        """The first port's picture as people look at it: H x W x 3 uint8."""
        return shown(self.pixels(domain, index), self.ports[domain][0])


def shown(pixels: np.ndarray, port: PicturePort) -> np.ndarray:
    """A port's pixels as people look at them; alpha is left out.

    Args:
        pixels: H x W x 1, 3 or 4 uint8; or a label map's classes, H x W x 1 uint8 or uint16.
        port: says which of the two.

    Returns:
        H x W x 3 uint8; a label map's classes are spread over the grey levels, from black to white.
    """
    if isinstance(port, LabelMap):
        pixels = (pixels.astype(np.int64) * 255 // (port.classes - 1)).astype(np.uint8)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]


def read_held_out(
    split: Split,
    ports: Mapping[str, tuple[PicturePort, ...]],
    augmentation: Augmentation,
    *,
    most: int | None = None,
) -> HeldOut:
    """Read a split's pictures, without augmentation; all, or of each domain the `most` with the lowest hashes.

    Raises PictureError for a picture that cannot be read.
    """
    split = split if most is None else _at_most(split, most)
    arrays: dict[str, Tensor] = {}
    for domains in [tuple(ports)] if split.paired else [(domain,) for domain in ports]:
        samples = Samples(split, {name: ports[name] for name in domains}, augmentation, seed=0, training=False)
        read = [samples[0, index].tensors for index in range(len(samples))]
        arrays |= {name: torch.stack([tensors[name] for tensors in read]) for name in read[0]}
    keys = {name: tuple(item.key for item in split.domains[name]) for name in ports}
    return HeldOut(keys=keys, ports=dict(ports), arrays=arrays, paired=split.paired)


def with_made(held_out: HeldOut, making: Making) -> HeldOut:
    """The photos of b with the inputs that are made from them: of each photo, by its key, the same for ever."""
    photos = picture_ports(held_out.ports["b"])
    ports = making.ports(photos)
    draws = held_out_draws(place_of(key) for key in held_out.keys["b"])
    made = [
        making.make(batch, draws[start : start + BATCH])
        for start, batch in zip(range(0, len(draws), BATCH), held_out.batches("b", _CPU), strict=True)
    ]
    parts = torch.cat(made).split([port.channels for port in ports], dim=1)
    arrays = {port.name: _bytes(part, port) for port, part in zip(ports, parts, strict=True)}
    return replace(
        held_out,
        keys={"a": held_out.keys["b"], **held_out.keys},
        ports={"a": ports, **held_out.ports},
        arrays={**arrays, **held_out.arrays},
    )


def place_of(key: str) -> int:
    """The number by which a held-out photo's draws are addressed."""
    return int(hash_of(key) * _PLACES)


def _bytes(pictures: Tensor, port: PicturePort) -> Tensor:
    """N x C x H x W uint8, as `Samples` gives them."""
    return torch.from_numpy(to_uint8(pictures, port)).permute(0, 3, 1, 2).contiguous()


def _at_most(split: Split, most: int) -> Split:
    """Both halves of a pair have one key, so they stay together."""
    return replace(split, domains={name: _fewer(items, most) for name, items in split.domains.items()})


def _fewer(items: tuple[Item, ...], most: int) -> tuple[Item, ...]:
    return tuple(items[index] for index in _lowest([item.key for item in items], most))


def _lowest(keys: Sequence[str], most: int) -> list[int]:
    ranked = sorted(range(len(keys)), key=lambda index: (hash_of(keys[index]), index))
    return sorted(ranked[:most])


TensorTranslation = Callable[[Tensor], Tensor]
"""N x C x H x W in [-1, 1] of one domain to those of the other."""


def translated(module: torch.nn.Module, ports: tuple[PicturePort, ...]) -> TensorTranslation:
    """A deployed module as a function of one stacked tensor of its input ports, giving its stacked outputs."""
    return partial(_run, module, tuple(port.channels for port in ports))


def _run(module: torch.nn.Module, channels: tuple[int, ...], pictures: Tensor) -> Tensor:
    outputs = module(*pictures.split(channels, dim=1))
    return torch.cat(outputs, dim=1) if isinstance(outputs, tuple) else outputs
