"""Plays the stages of a network over the tiles of one picture."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from translate.runtime.tiling.pictures import PaddedPicture, Sink
from translate.runtime.tiling.piece import Feed, Piece
from translate.runtime.tiling.plan import Plan, Tile
from translate.runtime.tiling.spill import Box, SpilledMap
from translate.runtime.tiling.stages import Stage, Statistic
from translate.runtime.tiling.statistics import Moments


class Source(Protocol):
    """A map that can be read box by box: a picture, or what waits on disk."""

    def read(self, box: Box) -> NDArray[Any]:
        """C x h x w numbers."""
        ...


class Play:
    """The maps and statistics of one picture, as far as they are made. Use it in a `with`: the disk is freed then.

    Args:
        plan: where tiles are cut.
        pictures: the model's inputs, by name.
        sinks: take what comes out, by name.
        folder: for maps that wait on disk.
    """

    def __init__(
        self, plan: Plan, pictures: Mapping[str, PaddedPicture], sinks: Mapping[str, Sink], folder: Path
    ) -> None:
        self._plan, self._sinks, self._folder = plan, sinks, folder
        self._sources: dict[str, Source] = dict(pictures)
        self._spilled: dict[str, SpilledMap] = {}
        self._statistics: dict[str, NDArray[Any]] = {}
        self._files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._files.close()

    def stage(self, stage: Stage, piece: Piece) -> Iterator[None]:
        """Play one stage; yields after each tile."""
        self._spilled.update({name: self._new_map(name) for name in stage.spills})
        moments = {each.source: Moments(self._plan.kind(each.source).channels) for each in stage.measures}
        for tile in self._plan.tiles(stage):
            self._tile(stage, piece, tile, moments)
            yield
        for each in stage.measures:
            self._statistics.update(_as_inputs(each, moments[each.source]))
        self._sources.update({name: self._spilled[name] for name in stage.spills})
        for name in stage.drops:
            del self._sources[name]
            self._spilled.pop(name).close()

    def _new_map(self, name: str) -> SpilledMap:
        return self._files.enter_context(SpilledMap(self._plan.kind(name), self._folder))

    def _tile(self, stage: Stage, piece: Piece, tile: Tile, moments: Mapping[str, Moments]) -> None:
        made = piece.run(self._feed(stage, tile))
        for name in stage.makes:
            window, inner = self._plan.window(name, tile), self._plan.inner(name, tile)
            numbers = _cut(made[name][0], window, inner)
            if name in moments:
                moments[name].add(numbers)
            if name in stage.spills:
                self._spilled[name].write(inner[0], inner[2], numbers)
            if name in stage.outputs:
                self._sinks[name].write(inner[0], inner[2], numbers)

    def _feed(self, stage: Stage, tile: Tile) -> Feed:
        maps = {name: self._sources[name].read(self._plan.window(name, tile))[np.newaxis] for name in stage.reads}
        return {**maps, **self._statistics}


def _cut(numbers: NDArray[Any], window: Box, inner: Box) -> NDArray[Any]:
    """What of a window's C x h x w numbers lies in the tile."""
    top, left = window[0], window[2]
    return numbers[:, inner[0] - top : inner[1] - top, inner[2] - left : inner[3] - left]


def _as_inputs(statistic: Statistic, moments: Moments) -> dict[str, NDArray[Any]]:
    """The inputs of later stages by name."""
    found = {statistic.mean: moments.mean()}
    if statistic.variance is not None:
        found[statistic.variance] = moments.variance()
    return {name: numbers.astype(statistic.dtype).reshape(statistic.shape) for name, numbers in found.items()}
