"""Tiles that a photo is cut into."""

from dataclasses import dataclass
from typing import Final

from translate.data.pictures import Pixels

TILE_PX: Final = 256
LEAST_REST_PX: Final = 64
"""A rest of at least so many pixels gets a tile of its own, which ends at the border."""
SMALL_PX: Final = 320
"""A photo no longer than this is one tile as it is."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A part of a photo, in pixels."""

    row: int
    column: int
    top_px: int
    left_px: int
    height_px: int
    width_px: int

    @property
    def stem(self) -> str:
        """File stem, such as `r0c1`."""
        return f"r{self.row}c{self.column}"

    def cut(self, pixels: Pixels) -> Pixels:
        """Its pixels, H x W x 3."""
        return pixels[self.top_px : self.top_px + self.height_px, self.left_px : self.left_px + self.width_px]


def tiles_of(height_px: int, width_px: int) -> tuple[Tile, ...]:
    """The tiles that a photo is cut into, from the top left."""
    if max(height_px, width_px) <= SMALL_PX:
        return (Tile(row=0, column=0, top_px=0, left_px=0, height_px=height_px, width_px=width_px),)
    height, width = min(TILE_PX, height_px), min(TILE_PX, width_px)
    return tuple(
        Tile(row=row, column=column, top_px=top, left_px=left, height_px=height, width_px=width)
        for row, top in enumerate(_starts(height_px))
        for column, left in enumerate(_starts(width_px))
    )


def _starts(length_px: int) -> tuple[int, ...]:
    """Where tiles begin along a side."""
    whole = max(1, length_px // TILE_PX)
    starts = tuple(index * TILE_PX for index in range(whole))
    rest = length_px - whole * TILE_PX
    return (*starts, length_px - TILE_PX) if rest >= LEAST_REST_PX else starts
