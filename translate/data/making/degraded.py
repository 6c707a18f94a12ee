"""A photo as it comes back from the net: blurred, resized, noisy and compressed, twice over.

Real-ESRGAN's second-order degradations (Wang et al. 2021, "Real-ESRGAN: training real-world blind super-resolution
with pure synthetic data", section 3), with the strengths of its published options.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from translate.card import Picture, PicturePort
from translate.data.making.degraded_kernels import drawn_low_pass_kernel, filtered
from translate.data.making.degraded_pass import (
    Pass,
    Size,
    blurred,
    compressed,
    drawn_factor,
    noisy,
    resized,
    scaled,
)
from translate.data.making.levels import on_levels
from translate.errors import ConfigurationError, require

FIRST = Pass()
SECOND = Pass(
    blur=0.8,
    sigma_px=(0.2, 1.5),
    enlarge=0.3,
    reduce=0.4,
    factor=(0.3, 1.2),
    gaussian_levels=(1.0, 25.0),
    poisson_strength=(0.05, 2.5),
)
"""Real-ESRGAN's passes."""

_MILD = Pass(
    blur=0.5,
    low_pass=0.0,
    sigma_px=(0.2, 1.5),
    enlarge=0.0,
    reduce=0.0,
    noise=0.5,
    gaussian_levels=(1.0, 15.0),
    poisson_strength=(0.05, 1.5),
    jpeg=0.8,
)
_NOTHING = replace(_MILD, blur=0.0, noise=0.0, jpeg=0.0)


@dataclass(frozen=True, kw_only=True)
class Degraded:
    """Blurred, resized, noisy and compressed in two passes, then reduced; Real-ESRGAN's by default."""

    scale: int = 4
    """How much larger a photo is than what is made of it; 1 to repair a photo, 2 or 4 to enlarge it as well."""
    first: Pass = FIRST
    """What happens first."""
    second: Pass = SECOND
    """What happens then; its sizes are relative to the final one."""
    final_low_pass: float = 0.8
    """Probability of an ideal low pass at the end, before or after the last JPEG."""

    def __post_init__(self) -> None:
        """Refuse what enlarges, and no probability."""
        require(1 <= self.scale <= 16, "making.scale", self.scale, "1 to 16")
        chance = self.final_low_pass
        require(0 <= chance <= 1, "making.final-low-pass", chance, "a probability, 0 to 1")

    @classmethod
    def mild(cls) -> Self:
        """One pass of light blur, noise and JPEG at the photo's own size: what a restored photo suffered from."""
        return cls(scale=1, first=_MILD, second=_NOTHING, final_low_pass=0.0)

    def ports(self, photos: tuple[PicturePort, ...]) -> tuple[PicturePort, ...]:
        """A picture of the photo's channels. Raises ConfigurationError for what is neither grey nor RGB."""
        (photo,) = photos
        if not isinstance(photo, Picture) or photo.channels not in (1, 3):
            raise ConfigurationError("--making: what is degraded is grey or rgb: give --b one of them")
        return (replace(photo, name="a"),)

    @torch.no_grad()
    def make(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> Tensor:
        """N x C x H/scale x W/scale; the photos' sides are multiples of the scale."""
        with torch.autocast(photos.device.type, enabled=False):
            pictures = (photos.float() + 1.0) / 2.0
            # One by one: each has sizes of its own on the way.
            made = [self._degraded(pictures[i : i + 1], draw) for i, draw in enumerate(draws)]
            return on_levels(torch.cat(made) * 2.0 - 1.0)

    def _degraded(self, picture: Tensor, draw: np.random.Generator) -> Tensor:
        height, width = picture.shape[-2:]
        final = height // self.scale, width // self.scale
        picture = blurred(picture, self.first, draw)
        picture = resized(picture, scaled((height, width), drawn_factor(self.first, draw)), draw)
        picture = compressed(noisy(picture, self.first, draw), self.first, draw)
        picture = blurred(picture, self.second, draw)
        picture = resized(picture, scaled(final, drawn_factor(self.second, draw)), draw)
        picture = noisy(picture, self.second, draw)
        if draw.uniform() < 0.5:
            return compressed(self._finished(picture, final, draw), self.second, draw)
        return self._finished(compressed(picture, self.second, draw), final, draw)

    def _finished(self, picture: Tensor, size: Size, draw: np.random.Generator) -> Tensor:
        """At its final size, and rung."""
        picture = resized(picture, size, draw)
        if draw.uniform() >= self.final_low_pass:
            return picture
        return filtered(picture, drawn_low_pass_kernel(draw))
