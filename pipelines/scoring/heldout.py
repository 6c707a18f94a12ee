"""Held-out pictures in memory, as the bytes that networks are given."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from translate.card import Port
from translate.data.augmentation import Augmentation
from translate.data.items import Split
from translate.data.samples import Samples
from translate.data.tensors import assemble, to_uint8

BATCH = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """The pictures of a split, resized to the training crop. `paired`: the i-th of all domains belong together."""

    keys: Mapping[str, tuple[str, ...]]
    ports: Mapping[str, tuple[Port, ...]]
    arrays: Mapping[str, Tensor]
    paired: bool

    def size(self, domain: str) -> int:
        """Pictures in a domain."""
        return len(self.keys[domain])

    def batches(self, domain: str, device: torch.device) -> Iterator[Tensor]:
        """The domain's tensors, N x C x H x W in [-1, 1], a few at a time."""
        for start in range(0, self.size(domain), BATCH):
            yield self.tensor(domain, slice(start, min(start + BATCH, self.size(domain))), device)

    def tensor(self, domain: str, which: slice, device: torch.device) -> Tensor:
        """Some of the domain's pictures, N x C x H x W in [-1, 1]."""
        ports = self.ports[domain]
        return assemble(ports, {port.name: self.arrays[port.name][which] for port in ports}, device)

    def pixels(self, domain: str, index: int) -> np.ndarray:
        """The first port's picture as it looks: H x W x C uint8."""
        port = self.ports[domain][0]
        return to_uint8(self.tensor(domain, slice(index, index + 1), torch.device("cpu"))[:, : port.channels], port)[0]


def read_held_out(
    split: Split,
    ports: Mapping[str, tuple[Port, ...]],
    augmentation: Augmentation,
    *,
    most: int | None = None,
) -> HeldOut:
    """Read a split's pictures, at most `most` of each domain, without chance and without leaving any out.

    Raises PictureError for a picture that cannot be read.
    """
    arrays: dict[str, Tensor] = {}
    for domains in [tuple(ports)] if split.paired else [(domain,) for domain in ports]:
        samples = Samples(split, {name: ports[name] for name in domains}, augmentation, seed=0, training=False)
        count = min(len(samples), most or len(samples))
        read = [samples[0, index].tensors for index in range(count)]
        arrays |= {name: torch.stack([tensors[name] for tensors in read]) for name in read[0]}
    keys = {name: tuple(item.key for item in split.domains[name][:most]) for name in ports}
    return HeldOut(keys=keys, ports=dict(ports), arrays=arrays, paired=split.paired)


Translate = Callable[[Tensor], Tensor]


def translated(module: torch.nn.Module, ports: tuple[Port, ...]) -> Translate:
    """A deployed module as a function of one stacked tensor of its input ports, giving its stacked outputs."""
    return partial(_run, module, tuple(port.channels for port in ports))


def _run(module: torch.nn.Module, channels: tuple[int, ...], pictures: Tensor) -> Tensor:
    outputs = module(*pictures.split(channels, dim=1))
    return torch.cat(outputs, dim=1) if isinstance(outputs, tuple) else outputs
