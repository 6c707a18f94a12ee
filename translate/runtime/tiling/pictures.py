"""Between pictures as pixels and the numbers of windows: a large picture is never a float array as a whole."""

from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from translate.card import LabelMap, PicturePort, SizeRule
from translate.runtime.codec import Made, Pixels, pixel_type
from translate.runtime.padding import padded_size
from translate.runtime.pixels import from_network, to_network
from translate.runtime.tiling.spill import Box


class PaddedPicture:
    """A picture, seen as `translate.runtime.padding.pad` would pad it, without a copy.

    Args:
        pixels: H x W x C uint8, or a label map, H x W or H x W x 1.
        port: where it goes in.
        dtype: of the model's numbers.
    """

    def __init__(self, pixels: Pixels, port: PicturePort, dtype: np.dtype[Any]) -> None:
        self._pixels, self._port, self._dtype = pixels, port, dtype
        self._rows, self._columns = mirrored_places(pixels.shape[0], pixels.shape[1], port.size)

    def read(self, box: Box) -> NDArray[Any]:
        """C x h x w numbers of a box."""
        top, bottom, left, right = box
        part = self._pixels[np.ix_(self._rows[top:bottom], self._columns[left:right])]
        return to_network(part, self._port)[0].astype(self._dtype, copy=False)


def mirrored_places(height_px: int, width_px: int, rule: SizeRule) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which row and column of a picture each row and column of the padded picture is."""
    lengths = zip((height_px, width_px), padded_size(height_px, width_px, rule), strict=True)
    rows, columns = (np.pad(np.arange(length), (0, to - length), mode="reflect") for length, to in lengths)
    return rows, columns


class Sink(Protocol):
    """Takes what a model makes, tile by tile."""

    def write(self, top: int, left: int, numbers: NDArray[Any]) -> None:
        """Take the C x h x w numbers whose first is in row `top` and column `left`; some may lie in the padding."""
        ...


class Canvas:
    """A picture that is made tile by tile; `pixels` is H x W x C (label maps: H x W x 1), without the padding."""

    def __init__(self, height_px: int, width_px: int, port: PicturePort) -> None:
        self._port = port
        channels = 1 if isinstance(port, LabelMap) else port.channels
        self.pixels = cast(Made, np.empty((height_px, width_px, channels), pixel_type(port)))

    def write(self, top: int, left: int, numbers: NDArray[Any]) -> None:
        """Put C x h x w numbers in their place; what lies in the padding is dropped."""
        place = self.pixels[top : top + numbers.shape[1], left : left + numbers.shape[2]]
        if place.size:
            place[:] = from_network(numbers[np.newaxis, :, : place.shape[0], : place.shape[1]], self._port)
