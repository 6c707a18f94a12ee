"""Pictures too large for memory, run tile by tile with the result of the whole picture."""

from translate.runtime.tiling.plan import Need
from translate.runtime.tiling.tiled import TILE_PX, Progress, Tiled

__all__ = ["TILE_PX", "Need", "Progress", "Tiled"]
