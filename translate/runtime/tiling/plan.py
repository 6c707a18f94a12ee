"""Everything about one large picture that is known before anything is computed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from translate.card import Card
from translate.errors import ConfigurationError, ModelError
from translate.runtime.padding import padded_size
from translate.runtime.tiling.graph import Graph
from translate.runtime.tiling.memory import whole_bytes
from translate.runtime.tiling.spill import Box, MapKind
from translate.runtime.tiling.stages import Stage
from translate.runtime.tiling.windows import Axis, Stretch

_BLOCK_PX: Final = 64


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile of one stage."""

    rows: Stretch
    columns: Stretch


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a picture needs: `disk_bytes` at the most at once, and runs of `tiles` windows over all stages.

    `halo_px` is the widest border around a tile of any stage. `whole_bytes` is an upper estimate of the memory that
    the picture would take as a whole.
    """

    disk_bytes: int
    whole_bytes: int
    stages: int
    tiles: int
    halo_px: int


class Plan:
    """Where every stage cuts a picture of `height_px` x `width_px`, in tiles of about `tile_px`.

    Raises:
        ModelError: the network cannot be run in tiles.
        ConfigurationError: a tile of less than one pixel.
    """

    def __init__(
        self, graph: Graph, stages: Sequence[Stage], card: Card, height_px: int, width_px: int, tile_px: int
    ) -> None:
        if tile_px < 1:
            raise ConfigurationError(f"--tile-px is {tile_px}: use 1 or more")
        self.stages = stages
        self._graph = graph
        lengths = padded_size(height_px, width_px, card.input_pictures[0].size)
        self.axes = Axis(graph, stages, 0, lengths[0]), Axis(graph, stages, 1, lengths[1])
        self.alignment_px = math.lcm(*(axis.alignment_px() for axis in self.axes))
        self.block_px = math.ceil(min(_BLOCK_PX, tile_px) / self.alignment_px) * self.alignment_px
        self.tile_px = math.ceil(tile_px / self.block_px) * self.block_px
        self._require_scale(card)
        self._halos_px = {stage: self._halo_px(stage) for stage in stages}

    def tiles(self, stage: Stage) -> list[Tile]:
        """A stage's tiles, row by row."""
        rows, columns = (axis.stretches(self.tile_px, self._halos_px[stage]) for axis in self.axes)
        return [Tile(rows=one, columns=two) for one in rows for two in columns]

    def inner(self, name: str, tile: Tile) -> Box:
        """The places of a map that belong to a tile."""
        rows, columns = tile.rows, tile.columns
        top, bottom = self.axes[0].part(name, rows.start, rows.stop)
        return top, bottom, *self.axes[1].part(name, columns.start, columns.stop)

    def window(self, name: str, tile: Tile) -> Box:
        """The places of a map that belong to a tile's window."""
        rows, columns = tile.rows, tile.columns
        top, bottom = self.axes[0].part(name, rows.window_start, rows.window_stop)
        return top, bottom, *self.axes[1].part(name, columns.window_start, columns.window_stop)

    def kind(self, name: str) -> MapKind:
        """How a map lies on disk."""
        heights, widths = self.axes
        return MapKind(
            channels=self._graph.channels(name),
            height=heights.lengths[name],
            width=widths.lengths[name],
            block_height=int(self.block_px * heights.scales[name]),
            block_width=int(self.block_px * widths.scales[name]),
            dtype=self._graph.dtype(name),
        )

    def need(self) -> Need:
        """What it takes to run this plan."""
        return Need(
            disk_bytes=self._disk_bytes(),
            whole_bytes=whole_bytes(self._graph, self.axes),
            stages=len(self.stages),
            tiles=len(self.tiles(self.stages[0])) * len(self.stages),
            halo_px=max(self._halos_px.values()),
        )

    def _halo_px(self, stage: Stage) -> int:
        """The border that a stage needs around its tiles."""
        return max(axis.halo_px(stage, self.tile_px, self.alignment_px) for axis in self.axes)

    def _disk_bytes(self) -> int:
        """The largest sum of maps that wait at the same time."""
        now = most = 0
        for stage in self.stages:
            now += sum(self.kind(name).total_bytes for name in stage.spills)
            most = max(most, now)
            now -= sum(self.kind(name).total_bytes for name in stage.drops)
        return most

    def _require_scale(self, card: Card) -> None:
        for name in self._graph.outputs:
            scales = {axis.scales[name] for axis in self.axes}
            if scales != {card.scale}:
                raise ModelError(f"The model scales {name!r} by {sorted(scales)}, and its card says {card.scale}")
