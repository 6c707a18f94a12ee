"""Pictures that are too large to go through a model as a whole: when they are cut into tiles, and how. No torch."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from translate.errors import ConfigurationError, ModelError
from translate.runtime.base import Runtime
from translate.runtime.codec import Made, Sample
from translate.runtime.tiling import TILE_PX, Tiled

_CONSIDERED_PX: Final = 1_000_000
"""Pixels of a picture; for a smaller one the graph need not be looked at."""
_MOST_BYTES: Final = 2_000_000_000
"""What a whole picture may take in memory, by estimate, before it is cut into tiles."""
_TOLD_BYTES: Final = 500_000_000
_TOLD_PX: Final = 4_000_000

_log = logging.getLogger(__name__)


@runtime_checkable
class TileableRuntime(Runtime, Protocol):
    """A runtime that can run its model in tiles."""

    def tiled(self) -> Tiled:
        """The model on the same device, in tiles. Raises ModelError for one that cannot be run so."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """How large pictures are run. The result is that of the whole picture, in constant memory.

    `tile_px` is the side of a tile; None takes 512 px, and only where the whole picture would take more than 2 GB of
    memory. `scratch` is a folder for maps that wait on disk; the system's temporary folder, if None. `progress` is told
    how many tiles of how many are done.
    """

    tile_px: int | None = None
    scratch: Path | None = None
    progress: Callable[[int, int], None] | None = None


class LargePictures:
    """Runs what is too large for one pass of a runtime in tiles.

    Raises ModelError or ConfigurationError where tiles are asked for and cannot be had.
    """

    def __init__(self, runtime: Runtime, tiles: Tiles) -> None:
        self._runtime = runtime
        self._tiles = tiles
        self._has_told = False
        if tiles.tile_px is not None:
            self._asked.need(1, 1, tile_px=tiles.tile_px)  # refuses what cannot be had, before the first picture

    def wants(self, height_px: int, width_px: int) -> bool:
        """Whether a picture of this size is to be run in tiles."""
        if self._tiles.tile_px is not None:
            return max(height_px, width_px) > self._tiles.tile_px
        return self.are_too_large(height_px, width_px, count=1)

    def are_too_large(self, height_px: int, width_px: int, *, count: int) -> bool:
        """Whether `count` pictures of this size take too much memory together, as far as that can be told."""
        if height_px * width_px * count < _CONSIDERED_PX:
            return False
        if self._possible is None:
            self._tell_of_whole(height_px * width_px)
            return False
        return count * self._possible.need(height_px, width_px).whole_bytes > _MOST_BYTES

    def run(self, sample: Sample) -> dict[str, Made]:
        """The outputs by port name, as `Tiled.run`."""
        tile_px, scratch = self._tiles.tile_px or TILE_PX, self._tiles.scratch
        disk_bytes = self._asked.need(*next(iter(sample.values())).shape[:2], tile_px=tile_px).disk_bytes
        if disk_bytes > _TOLD_BYTES:
            _log.warning("In tiles this picture takes %.1f GB of disk for a while (--scratch)", disk_bytes / 1e9)
        return self._asked.run(sample, tile_px=tile_px, scratch=scratch, progress=self._tiles.progress)

    def _tell_of_whole(self, pixels: int) -> None:
        """Once: a system that is short of memory may end the process without a word."""
        if self._has_told or pixels < _TOLD_PX or isinstance(self._runtime, TileableRuntime):
            return
        self._has_told = True
        _log.warning(
            "A picture of %.0f megapixels goes through this run as a whole, whatever memory that takes; a file that "
            "pixturn export makes of it may be run in tiles",
            pixels / 1e6,
        )

    @cached_property
    def _asked(self) -> Tiled:
        if not isinstance(self._runtime, TileableRuntime):
            raise ConfigurationError(
                f"--tile-px: only an .onnx file is run in tiles, not a run on {self._runtime.device}; export it first: "
                "pixturn export"
            )
        return self._runtime.tiled()

    @cached_property
    def _possible(self) -> Tiled | None:
        """None where the model cannot be run in tiles; the picture is then tried as a whole."""
        if not isinstance(self._runtime, TileableRuntime):
            return None
        try:
            return self._asked
        except ModelError as problem:
            _log.info("%s", problem)
            return None
