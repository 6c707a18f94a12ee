"""What every network that enlarges has in common: the plain enlargement that it adds to, and how far it sees."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.networks.choice import at_least, choose
from translate.networks.receptive import Step

Base = Literal["none", "nearest", "bilinear", "bicubic"]
"""The enlargement whose lack a network learns: global residual learning, https://arxiv.org/abs/1511.04587."""

_ALIGN_CORNERS: dict[str, bool | None] = {"none": None, "nearest": None, "bilinear": False, "bicubic": False}


class EnlargedBase(nn.Module):
    """N x C x H x W enlarged `scale` times by an interpolation without weights, and a difference added to it."""

    def __init__(self, *, base: Base, scale: int) -> None:
        super().__init__()
        self.align_corners = choose(_ALIGN_CORNERS, base, "--config.generator.base")
        self.base: Base = base
        self.scale = at_least(1, scale, "--making.scale")

    def forward(self, picture: Tensor, difference: Tensor) -> Tensor:
        """The enlarged picture plus the difference, N x C x `scale` H x `scale` W; with `none` the difference alone."""
        if self.base == "none":
            return difference
        factor = float(self.scale)
        enlarged = functional.interpolate(
            picture, scale_factor=factor, mode=self.base, align_corners=self.align_corners
        )
        return enlarged + difference


def enlarging_factors(scale: int) -> list[int]:
    """The steps in which the papers' networks enlarge: 1 is none, 2, 4, 8 ... are twos, 3 is one step.

    Raises ConfigurationError for another scale.
    """
    if scale == 3:
        return [3]
    if scale < 1 or scale & (scale - 1):
        raise ConfigurationError(f"--making.scale is {scale}: this network enlarges 2, 3, 4 or 8 times")
    return [2] * (scale.bit_length() - 1)


def enlarging_context_px(steps: Sequence[Step], scale: int) -> int:
    """How many input pixels an output pixel sees through `steps`, beyond the one that it lies in, to one side."""
    return max(_reach(steps, place, place // scale) for place in range(scale))


def _reach(steps: Sequence[Step], place: int, home: int) -> int:
    first = last = place
    for step in reversed(steps):
        first, last = step.reads(first, last)
    return max(home - first, last - home)
