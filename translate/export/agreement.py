"""How far outputs are from those that were expected, in the terms of a bar."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from translate.card import FixedPicture, LabelMap, PicturePort, Port
from translate.export.bars import Bar
from translate.runtime.base import Arrays
from translate.runtime.pixels import from_network

_LEVELS_OF_ONE = 127.5
_PEAK_SQUARED = 4.0


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Measured differences; `Bar` says what each of them is. `values` were looked at, `changed` of them differ."""

    difference: float = 0.0
    levels: float = 0.0
    mean_levels: float = 0.0
    psnr_db: float = inf
    changed: int = 0
    values: int = 0

    def and_also(self, other: Self) -> Self:
        """The worse of the two in everything; counts are added."""
        return type(self)(
            difference=_larger(self.difference, other.difference),
            levels=_larger(self.levels, other.levels),
            mean_levels=_larger(self.mean_levels, other.mean_levels),
            psnr_db=-_larger(-self.psnr_db, -other.psnr_db),
            changed=self.changed + other.changed,
            values=self.values + other.values,
        )

    @property
    def share_changed(self) -> float:
        """The share of values whose level or class is another one."""
        return self.changed / max(1, self.values)

    def beyond(self, bar: Bar) -> Iterator[str]:
        """What breaks the bar, in words. Shares are left out: a small picture has too few values for one."""
        if not self.difference <= bar.difference:  # asked so that a figure that is no number breaks it too
            yield f"the largest difference is {self.difference:.3g}; at most {bar.difference:g} is allowed"
        if not self.levels <= bar.levels:
            yield f"a value is {self.levels:g} levels of 255 off; at most {bar.levels:g} is allowed"
        if not self.mean_levels <= bar.mean_levels:
            yield f"the mean difference is {self.mean_levels:.3g} levels; at most {bar.mean_levels:g} is allowed"
        if not self.psnr_db >= bar.psnr_db:
            yield f"the PSNR is {self.psnr_db:.1f} dB; at least {bar.psnr_db:g} is needed"


def compare_numbers(made: Arrays, expected: Arrays, ports: Sequence[Port]) -> Agreement:
    """Of float32 arrays of equal shapes, by port name; pictures (N x C x H x W) are clipped to [-1, 1] as pixels are.

    Together they are as far off as the worst.
    """
    return _worst(_numbers(made[port.name], expected[port.name], port) for port in ports)


def compare_pixels(made: Arrays, expected: Arrays, ports: Sequence[Port]) -> Agreement:
    """Of N x H x W x C unsigned integers of equal shapes, by port name."""
    return _worst(_pixels(made[port.name], expected[port.name], port) for port in ports)


def largest_difference(made: Arrays, expected: Arrays) -> float:
    """Of all arrays by name, of equal shapes."""
    return max(float(np.abs(array.astype(np.float64) - expected[name]).max()) for name, array in made.items())


def _numbers(made: NDArray[Any], expected: NDArray[Any], port: Port) -> Agreement:
    if isinstance(port, PicturePort | FixedPicture):
        return _picture_numbers(made, expected, port)
    return _row_numbers(made.astype(np.float64), expected.astype(np.float64))


def _row_numbers(made: NDArray[np.float64], expected: NDArray[np.float64]) -> Agreement:
    """Of numbers without a range of their own: in parts of the largest that is expected, where that is above 1."""
    apart = np.abs(made - expected) / max(1.0, float(np.abs(expected).max(initial=0.0)))
    return Agreement(difference=float(apart.max(initial=0.0)))


def _picture_numbers(made: NDArray[Any], expected: NDArray[Any], port: PicturePort | FixedPicture) -> Agreement:
    # What leaves [-1, 1] becomes white or black, however far it is.
    apart = np.abs(np.clip(made, -1.0, 1.0).astype(np.float64) - np.clip(expected, -1.0, 1.0))
    numbers = Agreement(
        difference=float(apart.max()),
        mean_levels=float(apart.mean()) * _LEVELS_OF_ONE,
        psnr_db=_psnr_db(float(np.square(apart).mean())),
    )
    return numbers.and_also(_pixels(_as_pixels(made, port), _as_pixels(expected, port), port))


def _as_pixels(numbers: NDArray[Any], port: PicturePort | FixedPicture) -> NDArray[Any]:
    return np.stack([from_network(numbers[index : index + 1], port) for index in range(len(numbers))])


def _pixels(made: NDArray[Any], expected: NDArray[Any], port: Port) -> Agreement:
    """Classes have no distance: of a label map, only the changed pixels count."""
    apart = np.abs(made.astype(np.int32) - expected.astype(np.int32))
    largest = 0.0 if isinstance(port, LabelMap) else float(apart.max())
    return Agreement(levels=largest, changed=int(np.count_nonzero(apart)), values=apart.size)


def _psnr_db(mean_square: float) -> float:
    """Of numbers in [-1, 1]; what is no number stays none."""
    return inf if mean_square == 0.0 else float(10.0 * np.log10(_PEAK_SQUARED / mean_square))


def _worst(parts: Iterable[Agreement]) -> Agreement:
    total = Agreement()
    for part in parts:
        total = total.and_also(part)
    return total


def _larger(one: float, other: float) -> float:
    """The larger one; what is no number is worse than any."""
    return float(np.maximum(one, other))
