"""A picture of what contestants made: a row a case, chosen by rule, each cell over its name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.results.photos import Pixels

GAP_PX = 8
LINE_PX = 16
_WHITE = (255, 255, 255)
_INK = (32, 32, 32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """A picture and what stands under it, line by line."""

    picture: Pixels
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """Cells of one size, under a line of words."""

    title: str
    cells: Sequence[Cell]


def contact_sheet(rows: Sequence[Row], *, enlarge: int = 1) -> Image.Image:
    """All rows, one below the other; pixels are repeated `enlarge` times, so that they can be seen."""
    parts = [_row(row, enlarge) for row in rows]
    page = Image.new("RGB", (max(part.width for part in parts), sum(part.height for part in parts)), _WHITE)
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    return page


def _row(row: Row, enlarge: int) -> Image.Image:
    pictures = [_enlarged(cell.picture, enlarge) for cell in row.cells]
    wide, high = max(p.width for p in pictures), max(p.height for p in pictures)
    lines = max(len(cell.words) for cell in row.cells)
    strip = Image.new(
        "RGB",
        (GAP_PX + len(pictures) * (wide + GAP_PX), GAP_PX + 20 + high + lines * LINE_PX + GAP_PX),
        _WHITE,
    )
    pen = ImageDraw.Draw(strip)
    pen.text((GAP_PX, GAP_PX), row.title, fill=_INK, font=ImageFont.load_default(14))
    for place, (cell, picture) in enumerate(zip(row.cells, pictures, strict=True)):
        left, top = GAP_PX + place * (wide + GAP_PX), GAP_PX + 20
        strip.paste(picture, (left, top))
        for line, words in enumerate(cell.words):
            pen.text((left, top + high + line * LINE_PX), words, fill=_INK, font=ImageFont.load_default(12))
    return strip


def _enlarged(pixels: Pixels, times: int) -> Image.Image:
    colours = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    return Image.fromarray(colours.repeat(times, axis=0).repeat(times, axis=1))


def busiest(pixels: Pixels, side_px: int, step_px: int = 8) -> tuple[slice, slice]:
    """The window of `side_px` with the largest variance of grey levels, on a grid of `step_px`; the first of equals.

    It starts at multiples of the step, so that it is whole pixels of a picture that is so many times smaller.
    """
    grey = pixels.astype(np.float64).mean(axis=2)
    height, width = min(side_px, grey.shape[0]), min(side_px, grey.shape[1])
    sums, squares = _window_sums(grey, height, width), _window_sums(grey**2, height, width)
    count = height * width
    variance = (squares / count - (sums / count) ** 2)[::step_px, ::step_px]
    top, left = (int(place) * step_px for place in np.unravel_index(np.argmax(variance), variance.shape))
    return slice(top, top + height), slice(left, left + width)


def _window_sums(values: np.ndarray, height: int, width: int) -> np.ndarray:
    total = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    return total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]
