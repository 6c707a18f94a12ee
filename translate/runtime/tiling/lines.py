"""How one axis of a map follows from that of another: lengths, shifts, and what an output reads.

A *window* is a stretch of the picture that is run through a network on its own. The network pads a window's ends as if
the picture ended there, so near an end that is none of the picture's, numbers come out wrong. `Line` follows, exactly
and for one window, which numbers are right. Everything here is about whole numbers along one axis.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Line:
    """One axis of one map while a window is run: positions count from the start of the whole picture's map.

    The window holds the positions from `start` to before `stop` of `whole`; those from `right_from` to before
    `right_to` come out as they do in the whole picture.
    """

    whole: int
    start: int
    stop: int
    right_from: int
    right_to: int


class Rule(Protocol):
    """One layer, along one axis. `first` and `last` never fall as `place` grows."""

    @property
    def scale(self) -> Fraction:
        """Output length / input length, but for borders."""
        ...

    def length(self, length: int) -> int:
        """Output length for an input length."""
        ...

    def first(self, place: int, whole: int) -> int:
        """The first input that the output at `place` reads; less than 0 is a border."""
        ...

    def last(self, place: int, whole: int) -> int:
        """The last input that the output at `place` reads; `whole` (the input's length) or more is a border."""
        ...


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """A convolution or a pool: `kernel` is its extent, with dilation; `before` and `after` pad it."""

    kernel: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0

    @property
    def scale(self) -> Fraction:
        """See Rule."""
        return Fraction(1, self.stride)

    def length(self, length: int) -> int:
        """See Rule."""
        return (length + self.before + self.after - self.kernel) // self.stride + 1

    def first(self, place: int, whole: int) -> int:
        """See Rule."""
        return place * self.stride - self.before

    def last(self, place: int, whole: int) -> int:
        """See Rule."""
        return place * self.stride - self.before + self.kernel - 1


@dataclass(frozen=True, kw_only=True)
class Enlarging:
    """A transposed convolution, its border cut by `before` and `after`, with `extra` outputs at the end."""

    kernel: int
    stride: int
    before: int = 0
    after: int = 0
    extra: int = 0

    @property
    def scale(self) -> Fraction:
        """See Rule."""
        return Fraction(self.stride)

    def length(self, length: int) -> int:
        """See Rule."""
        return (length - 1) * self.stride + self.kernel + self.extra - self.before - self.after

    def first(self, place: int, whole: int) -> int:
        """See Rule."""
        return -((self.kernel - 1 - self.before - place) // self.stride)

    def last(self, place: int, whole: int) -> int:
        """See Rule."""
        return (place + self.before) // self.stride


@dataclass(frozen=True, kw_only=True)
class Bordering:
    """A border put on (or, below 0, cut off): of a number, of the edge repeated, or of the picture reflected."""

    before: int
    after: int
    reflects: bool = False

    @property
    def scale(self) -> Fraction:
        """See Rule."""
        return Fraction(1)

    def length(self, length: int) -> int:
        """See Rule."""
        return length + self.before + self.after

    def first(self, place: int, whole: int) -> int:
        """See Rule."""
        inner = place - self.before
        return min(inner, whole - 1 - self.after) if self.reflects else inner

    def last(self, place: int, whole: int) -> int:
        """See Rule."""
        inner = place - self.before
        return max(inner, self.before) if self.reflects else inner


@dataclass(frozen=True, kw_only=True)
class Interpolating:
    """Resizing by `factor`: output x reads from `before` inputs under x / factor (shifted) to `after` above it."""

    factor: Fraction
    shift: Fraction
    before: int
    after: int

    @property
    def scale(self) -> Fraction:
        """See Rule."""
        return self.factor

    def length(self, length: int) -> int:
        """See Rule."""
        return int(length * self.factor)

    def first(self, place: int, whole: int) -> int:
        """See Rule."""
        return self._under(place) - self.before

    def last(self, place: int, whole: int) -> int:
        """See Rule."""
        return self._under(place) + self.after

    def _under(self, place: int) -> int:
        return ((place + self.shift) / self.factor - self.shift).__floor__()


SAME = Sliding()
"""Every output reads the input at its own place."""


def line_through(rule: Rule, line: Line) -> Line:
    """The line of a layer's output.

    Raises:
        ValueError: the window begins where the layer's steps do not.
    """
    start = line.start * rule.scale
    if start.denominator != 1:
        raise ValueError(f"A window that begins at {line.start} does not fit a layer that scales by {rule.scale}")
    stop = int(start) + rule.length(line.stop - line.start)
    right_from, right_to = _right(rule, line, range(int(start), stop))
    return Line(whole=rule.length(line.whole), start=int(start), stop=stop, right_from=right_from, right_to=right_to)


def _right(rule: Rule, line: Line, places: range) -> tuple[int, int]:
    """The outputs all of whose inputs are right; reads beyond the picture's border see the layer's own padding."""

    def inside(place: int) -> int:
        return min(max(place, 0), line.whole - 1)

    begin = bisect_left(places, line.right_from, key=lambda place: inside(rule.first(place, line.whole)))
    end = bisect_left(places, line.right_to, key=lambda place: inside(rule.last(place, line.whole)))
    return places.start + begin, places.start + max(begin, end)


def joined(lines: Sequence[Line]) -> Line:
    """The line of what is computed from several maps of one size, place by place."""
    right_from, right_to = max(line.right_from for line in lines), min(line.right_to for line in lines)
    return replace(lines[0], right_from=right_from, right_to=max(right_from, right_to))
