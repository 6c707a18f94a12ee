"""A photo reduced by bicubic interpolation: the low resolution of the super-resolution papers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor
from torch.nn import functional

from translate.card import PicturePort
from translate.data.making.levels import on_levels
from translate.errors import require


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """Reduced by bicubic interpolation with antialiasing, as the papers' MATLAB does. Draws nothing."""

    scale: int = 4
    """How much larger a photo is than what is made of it."""

    def __post_init__(self) -> None:
        """Refuse what shrinks nothing."""
        require(2 <= self.scale <= 16, "making.scale", self.scale, "2 to 16")

    def ports(self, photos: tuple[PicturePort, ...]) -> tuple[PicturePort, ...]:
        """A small picture for each."""
        return tuple(replace(port, name=port.name.replace("b", "a", 1)) for port in photos)

    def make(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> Tensor:
        """N x C x H/scale x W/scale; the photos' sides are multiples of the scale."""
        return on_levels(functional.interpolate(photos, scale_factor=1 / self.scale, mode="bicubic", antialias=True))
