"""Inputs made from held-out photos as the run made its own, but of whole photos rather than of crops."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from pipelines.scoring.heldout import place_of
from translate.card import PicturePort, picture_ports
from translate.data.domains import MadePairs
from translate.data.items import Item
from translate.data.making.maker import held_out_draws
from translate.data.pictures import read_picture
from translate.data.tensors import assemble, to_uint8
from translate.runtime.codec import Pixels

_CPU: Final = torch.device("cpu")


def made_samples(domains: MadePairs, items: Sequence[Item]) -> list[dict[str, Pixels]]:
    """What is made of each photo, by port, H x W x C uint8. Raises PictureError for a photo that cannot be read."""
    (photo,) = picture_ports(domains.stored()["b"])
    ports = picture_ports(domains.ports()["a"])
    return [_sample(domains, _read(item, photo, domains.scale), ports, item.key) for item in items]


def _sample(domains: MadePairs, photo: Tensor, ports: Sequence[PicturePort], key: str) -> dict[str, Pixels]:
    made = domains.making.make(photo, held_out_draws([place_of(key)]))
    parts = made.split([port.channels for port in ports], dim=1)
    return {port.name: to_uint8(part, port)[0] for port, part in zip(ports, parts, strict=True)}


def _read(item: Item, port: PicturePort, scale: int) -> Tensor:
    """The photo, 1 x C x H x W, without what is left over at the right and the bottom."""
    pixels = read_picture(item.sources[0], channels=port.channels)
    height, width = (side - side % scale for side in pixels.shape[:2])
    batch = torch.from_numpy(pixels[:height, :width].copy()).permute(2, 0, 1)[None]
    return assemble((port,), {port.name: batch}, _CPU)
