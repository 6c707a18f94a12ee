"""Held-out photos for comparisons: whole, in the order of their names, no larger than is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from translate.data.folders import list_folder
from translate.data.holdout import hash_of
from translate.data.pictures import read_picture

Pixels = NDArray[np.uint8]
"""H x W x C."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Photo:
    """A photo, H x W x 3, by its place in the folder."""

    key: str
    pixels: Pixels


def photos(folder: Path, fit: Callable[[Pixels], Pixels], *, most: int | None = None) -> Iterator[Photo]:
    """All photos of a folder; or the `most` with the lowest hashes of their names, which is a fair draw.

    Raises SystemExit where there is none.
    """
    files = list_folder(folder, folder).pictures
    if not files:
        raise SystemExit(f"{folder}: there is no picture in this folder")
    for key in sorted(sorted(files, key=hash_of)[:most]):
        yield Photo(key=key, pixels=fit(read_picture(files[key][0])))


def at_most(pixels: Pixels, longest_px: int, multiple_of_px: int = 1) -> Pixels:
    """Reduced (Lanczos) to a longer side of `longest_px` where it is longer; cropped at the right and below."""
    height, width = pixels.shape[:2]
    shrink = min(1.0, longest_px / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    reduced = pixels if shrink == 1 else resized(pixels, size, Image.Resampling.LANCZOS)
    return reduced[: size[1] // multiple_of_px * multiple_of_px, : size[0] // multiple_of_px * multiple_of_px]


def square(pixels: Pixels, side_px: int) -> Pixels:
    """The middle of the picture, its shorter side resized to `side_px` (Lanczos)."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resized(pixels[top : top + side, left : left + side], (side_px, side_px), Image.Resampling.LANCZOS)


def resized(pixels: Pixels, size: tuple[int, int], how: Image.Resampling) -> Pixels:
    """Of another width and height; where it gets smaller, PIL's filters grow with the step (antialiasing)."""
    return np.asarray(Image.fromarray(pixels).resize(size, how))


def as_tensor(pixels: Pixels) -> Tensor:
    """1 x C x H x W in [-1, 1]."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1.0
