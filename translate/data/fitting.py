"""Pictures in memory, brought once to the size and the channels that a run trains with.

Each side by itself: a longer one shrinks by averaging over areas; a shorter one of which at most a quarter is missing
is padded on both sides with the median of the picture's border, so that digits of 28 px stay as they are in 32; and
one that is shorter still grows bilinearly.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from translate.errors import DatasetError

Pixels = npt.NDArray[np.uint8]

_MOST_MISSING: Final = 0.25
_CHUNK: Final = 4096
_LUMA: Final = (19595, 38470, 7471)
"""ITU-R 601 in 1/65536, as Pillow has it."""


def fit(pictures: Pixels, size_px: int) -> Pixels:
    """All pictures as squares.

    Args:
        pictures: uint8 N x H x W x C, C is 1, 3 or 4.
        size_px: The side that they are to have.

    Returns:
        uint8 N x size_px x size_px x C; `pictures` itself where they have that size.
    """
    count, height, width, channels = pictures.shape
    if (height, width) == (size_px, size_px):
        return pictures
    fitted = np.empty((count, size_px, size_px, channels), np.uint8)
    for start in range(0, count, _CHUNK):  # the border's median takes many times the memory of its pictures
        fitted[start : start + _CHUNK] = _fit(pictures[start : start + _CHUNK], size_px)
    return fitted


def to_channels(pictures: Pixels, channels: int) -> Pixels:
    """Grey as RGB, RGB as grey (ITU-R 601 luma), as folders of pictures are read.

    Args:
        pictures: uint8 N x H x W x C.
        channels: What is asked for.

    Raises:
        DatasetError: For RGBA where it is not asked for, or the other way round.
    """
    there = pictures.shape[3]
    if there == channels:
        return pictures
    if (there, channels) == (1, 3):
        return np.repeat(pictures, 3, axis=3)
    if (there, channels) == (3, 1):
        weighted = pictures.astype(np.uint32) @ np.array(_LUMA, np.uint32)
        return ((weighted + 0x8000) >> 16).astype(np.uint8)[..., np.newaxis]
    raise DatasetError(f"The pictures have {there} channels, and {channels} are asked for: save them with {channels}")


def _fit(pictures: Pixels, size_px: int) -> Pixels:
    height, width = (_resampled_side(side, size_px) for side in pictures.shape[1:3])
    return _padded(_resampled(pictures, height, width), size_px)


def _resampled_side(side_px: int, size_px: int) -> int:
    is_padded = (1 - _MOST_MISSING) * size_px <= side_px <= size_px
    return side_px if is_padded else size_px


def _resampled(pictures: Pixels, height: int, width: int) -> Pixels:
    if pictures.shape[1:3] == (height, width):
        return pictures
    grey = pictures.shape[3] == 1
    resized = [_resize(picture[..., 0] if grey else picture, height, width) for picture in pictures]
    return np.stack(resized).reshape(len(pictures), height, width, -1)


def _resize(picture: Pixels, height: int, width: int) -> Pixels:
    image = Image.fromarray(picture)
    smaller = (min(image.width, width), min(image.height, height))
    averaged = image.resize(smaller, Image.Resampling.BOX)
    return np.asarray(averaged.resize((width, height), Image.Resampling.BILINEAR))


def _padded(pictures: Pixels, size_px: int) -> Pixels:
    count, height, width, channels = pictures.shape
    if (height, width) == (size_px, size_px):
        return pictures
    padded = np.empty((count, size_px, size_px, channels), np.uint8)
    padded[:] = _border_median(pictures)[:, np.newaxis, np.newaxis]
    top, left = (size_px - height) // 2, (size_px - width) // 2
    padded[:, top : top + height, left : left + width] = pictures
    return padded


def _border_median(pictures: Pixels) -> Pixels:
    """N x C, the median of the outermost pixels of each picture and channel, rounded down."""
    count, _, _, channels = pictures.shape
    sides = (pictures[:, 0], pictures[:, -1], pictures[:, 1:-1, 0], pictures[:, 1:-1, -1])
    border = np.concatenate([side.reshape(count, -1, channels) for side in sides], axis=1)
    return np.median(border, axis=1).astype(np.uint8)
