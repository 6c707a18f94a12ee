"""From the pixels of pictures to the arrays that a model takes, and back.

A model takes numbers of its network's sizes, or (`card.pixels`) the pixels themselves, and then scales, pads and crops
inside. Whatever holds a runtime picks the codec once, by the card, and need not know which it is. What takes other
things than pictures of any size (noise, classes) is fed by `translate.runtime.rows`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from translate.card import Card, LabelMap, PicturePort
from translate.runtime.base import Arrays
from translate.runtime.padding import crop, pad
from translate.runtime.pixels import from_network, to_network

Pixels = NDArray[np.integer]
"""One picture, H x W x C uint8; or one label map, H x W or H x W x 1 integers."""

Made = NDArray[np.uint8] | NDArray[np.uint16]
"""One picture that came out, H x W x C uint8; a label map H x W x 1, uint16 where it has more than 256 classes."""

Sample = Mapping[str, Pixels]
"""What a model takes at once, by the names of its input ports; all of one size."""

_UINT8_CLASSES: Final = 256


class Codec(Protocol):
    """Both ways between pixels and arrays, for batches: a batch holds samples of one size."""

    def encode(self, samples: Sequence[Sample]) -> Arrays:
        """What to give to the runtime, one array an input port. Raises ValueError for no samples or several sizes."""
        ...

    def decode(self, arrays: Arrays, height_px: int, width_px: int) -> list[dict[str, Made]]:
        """The outputs of each sample by port name.

        Args:
            arrays: what the runtime gave.
            height_px: height of the samples that went in.
            width_px: their width; what comes out is the card's scale times as large.
        """
        ...


class Floats:
    """For networks as they are: float32 N x C x H x W in [-1, 1], padded to the size rule and cropped back."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def encode(self, samples: Sequence[Sample]) -> Arrays:
        """See Codec."""
        return {port.name: self._encoded(port, samples) for port in self._card.input_pictures}

    def decode(self, arrays: Arrays, height_px: int, width_px: int) -> list[dict[str, Made]]:
        """See Codec."""
        height, width = height_px * self._card.scale, width_px * self._card.scale
        cropped = {port: crop(arrays[port.name], height, width) for port in self._card.output_pictures}
        count = len(next(iter(cropped.values())))
        return [
            {port.name: from_network(numbers[index : index + 1], port) for port, numbers in cropped.items()}
            for index in range(count)
        ]

    def _encoded(self, port: PicturePort, samples: Sequence[Sample]) -> NDArray[np.float32]:
        return pad(np.concatenate([to_network(sample[port.name], port) for sample in samples]), port.size)


class Bytes:
    """For graphs that take pixels: uint8 N x H x W x C of any size (more than 256 classes: uint16)."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def encode(self, samples: Sequence[Sample]) -> Arrays:
        """See Codec."""
        return {
            port.name: np.stack([_with_channels(sample[port.name], port) for sample in samples])
            for port in self._card.input_pictures
        }

    def decode(self, arrays: Arrays, height_px: int, width_px: int) -> list[dict[str, Made]]:
        """See Codec."""
        count = len(arrays[self._card.output_pictures[0].name])
        return [{port.name: arrays[port.name][index] for port in self._card.output_pictures} for index in range(count)]


def codec_for(card: Card) -> Codec:
    """The codec that a model wants."""
    return Bytes(card) if card.pixels else Floats(card)


def pixel_type(port: PicturePort) -> type[np.uint8] | type[np.uint16]:
    """What holds one pixel of a port: a level, or a class."""
    return np.uint16 if isinstance(port, LabelMap) and port.classes > _UINT8_CLASSES else np.uint8


def _with_channels(pixels: Pixels, port: PicturePort) -> Pixels:
    height, width = pixels.shape[:2]
    return pixels.reshape(height, width, -1).astype(pixel_type(port), copy=False)
