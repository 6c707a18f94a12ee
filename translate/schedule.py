"""How the learning rate changes over a run."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from translate.errors import require

ScheduleShape = Literal["constant", "linear", "cosine"]


def _linear(position: float) -> float:
    return 1.0 - position


def _cosine(position: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * position))


def _constant(position: float) -> float:  # noqa: ARG001 - all shapes are called alike
    return 1.0


_SHAPES: Mapping[ScheduleShape, Callable[[float], float]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The learning rate over a run, as a factor of the optimisers' own."""

    shape: ScheduleShape = "linear"
    """How the rate falls once it is no longer held."""
    hold: float = 0.5
    """Part of the run (0 to 1) through which the rate is held; pix2pix and CycleGAN hold it for half."""
    until: float = 1.0
    """Part of the run at which the fall has ended; R3GAN's burn-in ends long before the run does."""
    end: float = 0.0
    """Factor at the end of the fall, and from there on."""
    warmup_images: int = 0
    """Images through which rates rise in a straight line at the start of a run (Goyal et al. 2017): to what --rate-rule
    makes of them, from what they are without it; from 0 where no rule raises them. 0: no warm-up."""

    def __post_init__(self) -> None:
        """Refuse parts that are none."""
        require(0 <= self.hold <= 1, "schedule.hold", self.hold, "0 to 1, a part of the run")
        require(self.hold <= self.until <= 1, "schedule.until", self.until, "schedule.hold to 1, a part of the run")
        require(0 <= self.end <= 1, "schedule.end", self.end, "0 to 1, a factor")
        require(self.warmup_images >= 0, "schedule.warmup-images", self.warmup_images, "0 (no warm-up) or more images")

    def factor(self, fraction: float) -> float:
        """The factor at a fraction of the run, after any warm-up (see `translate.rates`)."""
        if fraction <= self.hold:
            return 1.0
        position = 1.0 if fraction >= self.until else (fraction - self.hold) / (self.until - self.hold)
        return self.end + (1.0 - self.end) * _SHAPES[self.shape](position)
