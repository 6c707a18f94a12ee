"""A photo without its colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from translate.card import Picture, PicturePort
from translate.data.making.levels import on_levels
from translate.placing import numbers

_LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as picture files are read where a model wants grey."""


@dataclass(frozen=True, kw_only=True)
class Grey:
    """The luma of an RGB photo (ITU-R BT.601). Draws nothing."""

    @property
    def scale(self) -> int:
        """Its size stays."""
        return 1

    def ports(self, photos: tuple[PicturePort, ...]) -> tuple[PicturePort, ...]:
        """One grey picture."""
        return (Picture(name="a", channels=1, size=photos[0].size),)

    def make(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> Tensor:
        """N x 1 x H x W, from N x 3 x H x W."""
        weights = numbers(_LUMA, photos.device).view(1, 3, 1, 1)
        return on_levels((photos * weights).sum(dim=1, keepdim=True))
