"""Pictures of one size, laid out on one sheet."""

from collections.abc import Iterable, Sequence
from math import ceil, sqrt

from PIL import Image

GAP_PX = 2
_WHITE = 255


def grid(pictures: Iterable[Image.Image], *, columns: int | None = None, gap_px: int = GAP_PX) -> Image.Image:
    """Pictures in reading order, on a sheet that is as near to square as can be (or has so many columns).

    The sheet is columns x (width + gap) - gap wide, and rows alike; what is over in the last row is white.
    """
    cells = list(pictures)
    across = columns or max(1, ceil(sqrt(len(cells))))
    return rows([cells[start : start + across] for start in range(0, len(cells), across)], gap_px=gap_px)


def rows(pictures: Sequence[Sequence[Image.Image]], *, gap_px: int = GAP_PX) -> Image.Image:
    """Rows of pictures of one size. Raises ValueError for none, or for several sizes."""
    sizes = {(cell.size, cell.mode) for row in pictures for cell in row}
    if len(sizes) != 1:
        raise ValueError(f"A sheet needs pictures of one size and kind, not {sorted(sizes)}")
    (width, height), mode = sizes.pop()
    across, down = max(map(len, pictures)), len(pictures)
    size = (across * (width + gap_px) - gap_px, down * (height + gap_px) - gap_px)
    page = Image.new(mode, size, (_WHITE,) * len(mode) if mode != "L" else _WHITE)
    for y, row in enumerate(pictures):
        for x, cell in enumerate(row):
            page.paste(cell, (x * (width + gap_px), y * (height + gap_px)))
    return page
