"""Where tiles are cut, and how far around each the network must look for it to come out as in the whole picture."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from translate.runtime.tiling.graph import Graph, Layer
from translate.runtime.tiling.lines import Line, Rule, joined, line_through
from translate.runtime.tiling.rules import rules_of
from translate.runtime.tiling.stages import Stage


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer along one axis: the maps that it reads and makes, and how."""

    reads: tuple[str, ...]
    makes: tuple[str, ...]
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A tile along one axis, in pixels of the picture that goes in, and the window that is run to get it."""

    start: int
    stop: int
    window_start: int
    window_stop: int


class Axis:
    """Height (0) or width (1) of a network's maps, for a picture of one length.

    `scales` is how large each map is against the picture, `lengths` how long exactly.

    Raises:
        ModelError: the network has a layer that cannot be cut into tiles.
    """

    def __init__(self, graph: Graph, stages: Sequence[Stage], axis: int, length_px: int) -> None:
        self.length_px = length_px
        self.scales: dict[str, Fraction] = dict.fromkeys(graph.inputs, Fraction(1))
        self.lengths: dict[str, int] = dict.fromkeys(graph.inputs, length_px)
        self._steps = {stage: [*self._walk(graph, stage, axis)] for stage in stages}

    def alignment_px(self) -> int:
        """Tiles and windows begin at multiples of this: then every map is cut between two of its places."""
        return math.lcm(*(scale.denominator for scale in self.scales.values()))

    def part(self, name: str, start_px: int, stop_px: int) -> tuple[int, int]:
        """The places of a map that belong to the picture's pixels from `start_px` to before `stop_px`."""
        scale = self.scales[name]
        stop = self.lengths[name] if stop_px == self.length_px else int(stop_px * scale)
        return int(start_px * scale), stop

    def stretches(self, tile_px: int, halo_px: int) -> list[Stretch]:
        """The tiles, from the picture's start to its end, each with `halo_px` around it where there is picture."""
        return [
            Stretch(
                start=start,
                stop=min(start + tile_px, self.length_px),
                window_start=max(0, start - halo_px),
                window_stop=min(self.length_px, start + tile_px + halo_px),
            )
            for start in range(0, self.length_px, tile_px)
        ]

    def halo_px(self, stage: Stage, tile_px: int, alignment_px: int) -> int:
        """The least border around tiles, a multiple of the alignment, with which all come out right."""

        def is_enough(halo: int) -> bool:
            stretches = self.stretches(tile_px, halo * alignment_px)
            return all(self._is_right(stage, stretch) for stretch in _unlike(stretches, self.length_px))

        enough = 1
        while not is_enough(enough):
            enough *= 2
        return bisect_left(range(enough), True, key=is_enough) * alignment_px

    def _walk(self, graph: Graph, stage: Stage, axis: int) -> list[Step]:
        steps: list[Step] = []
        for layer in stage.layers:
            reads = tuple(name for name in layer.inputs if name in self.lengths)
            if reads:  # what is made of statistics alone has no places
                steps.append(Step(reads=reads, makes=layer.outputs, rule=rules_of(layer, graph)[axis]))
                self._measure(layer, steps[-1])
        return steps

    def _measure(self, layer: Layer, step: Step) -> None:
        sizes = {(self.lengths[name], self.scales[name]) for name in step.reads}
        if len(sizes) > 1:
            raise layer.refused("puts maps of several sizes together")
        length, scale = sizes.pop()
        self.lengths.update(dict.fromkeys(step.makes, step.rule.length(length)))
        self.scales.update(dict.fromkeys(step.makes, scale * step.rule.scale))

    def _is_right(self, stage: Stage, stretch: Stretch) -> bool:
        lines = self._lines(stage, stretch)
        for name in stage.makes:
            start, stop = self.part(name, stretch.start, stretch.stop)
            if lines[name].right_from > start or lines[name].right_to < stop:
                return False
        return True

    def _lines(self, stage: Stage, stretch: Stretch) -> dict[str, Line]:
        lines: dict[str, Line] = {}
        for name in stage.reads:
            start, stop = self.part(name, stretch.window_start, stretch.window_stop)
            lines[name] = Line(whole=self.lengths[name], start=start, stop=stop, right_from=start, right_to=stop)
        for step in self._steps[stage]:
            line = line_through(step.rule, joined([lines[name] for name in step.reads]))
            lines.update(dict.fromkeys(step.makes, line))
        return lines


def _unlike(stretches: Sequence[Stretch], length_px: int) -> list[Stretch]:
    """One of each kind: those amid the picture behave alike."""

    def kind(stretch: Stretch) -> tuple[int, int, int, bool, bool]:
        return (
            stretch.start - stretch.window_start,
            stretch.stop - stretch.start,
            stretch.window_stop - stretch.stop,
            stretch.window_start == 0,
            stretch.window_stop == length_px,
        )

    return list({kind(stretch): stretch for stretch in stretches}.values())
