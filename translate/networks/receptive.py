"""How far a network sees, found by walking from outputs back to the inputs that they read."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer, along one axis: a convolution, or, where it `enlarges`, a transposed one.

    Blurs are convolutions; [1 3 3 1] and nearest enlargement read as transposed ones of kernel 4 and 2 do.
    """

    kernel: int
    padding: int = 0
    stride: int = 1
    enlarges: bool = False

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """First and last input that the outputs `first` to `last` read."""
        if self.enlarges:
            return -((self.kernel - 1 - self.padding - first) // self.stride), (last + self.padding) // self.stride
        return first * self.stride - self.padding, last * self.stride - self.padding + self.kernel - 1


@dataclass(frozen=True, kw_only=True)
class Sight:
    """`field_px` is the side of the square that one output can depend on.

    `context_px` is how far that square reaches beyond the output's own place, on the side where it reaches farther:
    the border that a tile needs to come out as in the whole picture. Means nothing where output and input differ
    in size.
    """

    field_px: int
    context_px: int


def sight(steps: Sequence[Step], *, period: int = 1) -> Sight:
    """What an output sees through `steps`, the most that any output does; outputs repeat after `period` pixels."""
    spans = [_span(steps, place) for place in range(period)]
    return Sight(
        field_px=max(last - first + 1 for first, last in spans),
        context_px=max(max(place - first, last - place) for place, (first, last) in enumerate(spans)),
    )


def _span(steps: Sequence[Step], place: int) -> tuple[int, int]:
    first = last = place
    for step in reversed(steps):
        first, last = step.reads(first, last)
    return first, last
