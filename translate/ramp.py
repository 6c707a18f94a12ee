"""A number that changes over a run: a weight, a probability, a standard deviation."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from translate.errors import ConfigurationError

RampShape = Literal["cosine", "linear"]


class HasFraction(Protocol):
    """How far a run is; `translate.method.Progress` is one."""

    @property
    def fraction(self) -> float:
        """From 0 at the start to 1 at the end."""
        ...


def _cosine(position: float) -> float:
    return 0.5 * (1.0 - math.cos(math.pi * position))


def _linear(position: float) -> float:
    return position


_SHAPES: Mapping[RampShape, Callable[[float], float]] = {"cosine": _cosine, "linear": _linear}


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """Goes from `start` to `end` and stays there. R3GAN's burn-in is a cosine (Huang et al. 2024, table 9)."""

    start: float
    """Value at the beginning of the run."""
    end: float
    """Value from `until_fraction` on."""
    until_fraction: float = 1.0
    """Part of the run (0 to 1) that the change takes; 0 is `end` from the beginning."""
    shape: RampShape = "cosine"
    """The way there: cosine leaves and arrives gently."""

    def __post_init__(self) -> None:
        """Refuse what is not a number, and a part that is none."""
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise ConfigurationError(
                f"--config.*.start and .end are {self.start} and {self.end}: choose finite numbers"
            )
        if not 0 <= self.until_fraction <= 1:
            raise ConfigurationError(
                f"--config.*.until-fraction is {self.until_fraction}: choose 0 to 1, a part of the run"
            )
        if self.shape not in _SHAPES:
            raise ConfigurationError(f"--config.*.shape {self.shape!r} is unknown: use one of {', '.join(_SHAPES)}")

    @property
    def least(self) -> float:
        """The smallest value on the way."""
        return min(self.start, self.end)

    @property
    def most(self) -> float:
        """The largest value on the way."""
        return max(self.start, self.end)

    def at(self, progress: HasFraction) -> float:
        """The value at this point of the run."""
        if progress.fraction >= self.until_fraction:
            return self.end
        position = _SHAPES[self.shape](progress.fraction / self.until_fraction)
        return self.start + (self.end - self.start) * position


def constantly(value: float) -> Ramp:
    """A ramp that does not change: the default of a field that may."""
    return Ramp(start=value, end=value)
