"""Sets of pictures in memory, brought to one size by one rule, so that only what they show can tell them apart.

**Size**: both sets are compared as squares of one side: the smaller of the two sets' median shorter sides, at most
what the features look at (128 px for EfficientNet-Lite1). Each picture is cut to the square in its middle and resized
by Pillow's bicubic filter, which averages over all pixels where it shrinks: without that, resizing alone moves such
figures (Parmar et al. 2022, "On Aliased Resizing and Surprising Subtleties in GAN Evaluation").

**Which**: pictures are taken in a random order that the seed fixes, until there are enough good ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.evaluating.sources import Opened, Source
from translate.data.pictures import Pixels
from translate.errors import DatasetError, PictureError

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many of it are done, and how many there are."""

_LOOKED_AT_FOR_SIZE: Final = 100


def silent(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody is shown."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A picture that was refused; `reason` is a short code."""

    name: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureSet:
    """N pictures of one size, N x S x S x 3 uint8, with their names, and what was left out on the way."""

    where: str
    names: tuple[str, ...]
    pixels: Pixels
    left_out: tuple[LeftOut, ...]
    found: int
    lossy: int
    original_side_px: int

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.names)

    def part(self, start: int, stop: int) -> "PictureSet":
        """Some of the pictures, in their (random) order."""
        return replace(self, names=self.names[start:stop], pixels=self.pixels[start:stop])


def read_sets(
    sources: Sequence[Source], *, at_most: Sequence[int], seed: int, largest_side_px: int, progress: Progress
) -> list[PictureSet]:
    """Read sets at one size.

    Args:
        sources: The sets.
        at_most: Pictures of each.
        seed: Fixes the order in which pictures are taken.
        largest_side_px: The squares have no larger side.
        progress: Told of every picture.

    Raises:
        DatasetError: A set without a picture that can be read.
    """
    orders = [np.random.default_rng(seed).permutation(len(source.names)) for source in sources]
    sides = [_median_side(source, order) for source, order in zip(sources, orders, strict=True)]
    side = min(*sides, largest_side_px)
    return [
        _read(_Reading(source=source, order=order, most=most, original=original), side, progress)
        for source, order, most, original in zip(sources, orders, at_most, sides, strict=True)
    ]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Reading:
    source: Source
    order: npt.NDArray[np.int64]
    most: int
    original: int


def _median_side(source: Source, order: npt.NDArray[np.int64]) -> int:
    """The median shorter side of the first hundred pictures that can be read."""
    good = (opened for index in order if isinstance(opened := _opened(source, int(index)), Opened))
    sides = [min(opened.pixels.shape[:2]) for opened in islice(good, _LOOKED_AT_FOR_SIZE)]
    if not sides:
        raise DatasetError(f"{source.where}: there is no picture that can be read: give a folder with pictures")
    return int(np.median(sides))


def _read(reading: _Reading, side: int, progress: Progress) -> PictureSet:
    source = reading.source
    most = min(reading.most, len(source.names))
    kept: dict[str, Pixels] = {}
    left_out: list[LeftOut] = []
    lossy = 0
    for index in reading.order:
        if len(kept) == most:
            break
        opened = _opened(source, int(index))
        if isinstance(opened, LeftOut):
            left_out.append(opened)
            continue
        kept[source.names[int(index)]] = _square(opened.pixels, side)
        lossy += opened.lossy
        progress(f"Reading {source.where}", len(kept), most)
    progress(f"Reading {source.where}", len(kept), len(kept))
    return PictureSet(
        where=source.where,
        names=tuple(kept),
        pixels=np.stack(list(kept.values())),
        left_out=tuple(left_out),
        found=len(source.names),
        lossy=lossy,
        original_side_px=reading.original,
    )


def _opened(source: Source, index: int) -> Opened | LeftOut:
    try:
        return source.open(index)
    except PictureError as problem:
        return LeftOut(name=source.names[index], reason=problem.reason, message=str(problem))


def _square(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    middle = pixels[top : top + shorter, left : left + shorter]
    if shorter == side:
        return middle
    return np.asarray(Image.fromarray(middle).resize((side, side), Image.Resampling.BICUBIC))
