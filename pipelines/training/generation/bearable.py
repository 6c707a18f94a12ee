"""How many samples a report holds at once: thousands of small ones, of large ones what memory bears."""

from collections.abc import Sequence
from math import prod
from typing import Final

FEWEST: Final = 500
"""However large they are."""
_FLOATS: Final = 10_000 * 3 * 32 * 32
"""Numbers of samples as networks see them, float32: 120 MB."""
_STORED: Final = 512 * 2**20
"""Numbers of samples as they are stored: bytes, of pictures."""


def bearable(most: int, shape: Sequence[int]) -> int:
    """At most so many samples of a shape as float32, fewer where they are large."""
    return _within(_FLOATS, most, shape)


def storable(most: int, shape: Sequence[int]) -> int:
    """The same of samples as they are stored."""
    return _within(_STORED, most, shape)


def _within(numbers: int, most: int, shape: Sequence[int]) -> int:
    return min(most, max(FEWEST, numbers // prod(shape)))
