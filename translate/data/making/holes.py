"""A photo with holes torn into it, and the mask that says where."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from translate.card import Mask, Picture, PicturePort
from translate.data.making import mask_shapes
from translate.data.making.levels import on_levels
from translate.errors import ConfigurationError, require
from translate.placing import placed

HOLE_LEVEL = 128
"""What stands in the hole: mid-grey, the level that 0.0 is rounded to. A network that fills holes sets them to zero
itself, by the mask, so that whatever a user's picture has in its hole gives the same."""


@dataclass(frozen=True, kw_only=True)
class Holes:
    """Holes of several shapes: strokes (Yu et al. 2019), boxes, segments, and bands to paint on outside."""

    least_share: float = 0.1
    """The smallest hole, as a share of the picture."""
    most_share: float = 0.4
    """The largest hole, as a share of the picture; each is drawn evenly between the two."""
    strokes: float = 0.4
    """How often the hole is strokes of a brush, relative to the other shapes."""
    boxes: float = 0.2
    """How often the hole is one to four boxes, relative to the other shapes."""
    segments: float = 0.3
    """How often the hole has the irregular outline of things, relative to the other shapes."""
    outpainting: float = 0.1
    """How often the hole is bands along one to four sides of the picture, relative to the other shapes."""

    def __post_init__(self) -> None:
        """Refuse holes of no size, and a mixture of nothing."""
        require(0 < self.least_share < 1, "making.least-share", self.least_share, "above 0 and below 1")
        choose = f"--making.least-share ({self.least_share}) to below 1"
        require(self.least_share <= self.most_share < 1, "making.most-share", self.most_share, choose)
        for name, weight in zip(("strokes", "boxes", "segments", "outpainting"), self._weights(), strict=True):
            require(0 <= weight < math.inf, f"making.{name}", weight, "0 (never) or more")
        if not any(self._weights()):
            raise ConfigurationError("--making: all shapes of holes have weight 0: give one of them more")

    @property
    def scale(self) -> int:
        """Its size stays."""
        return 1

    def ports(self, photos: tuple[PicturePort, ...]) -> tuple[PicturePort, ...]:
        """The picture with its hole, and the mask."""
        (photo,) = photos
        return (Picture(name="a", channels=photo.channels, size=photo.size), Mask(name="mask", size=photo.size))

    def make(self, photos: Tensor, draws: Sequence[np.random.Generator]) -> Tensor:
        """N x (C + 1) x H x W: the hole is at `HOLE_LEVEL`; the mask is 1 where to fill, -1 where it is known."""
        height, width = photos.shape[-2:]
        masks = np.stack([draw_mask(height, width, draw, self) for draw in draws])
        return torn(photos, placed(torch.from_numpy(masks).unsqueeze(1), photos.device))

    def shape(self, draw: np.random.Generator) -> "Shape":
        """One of the shapes, drawn by its weight."""
        weights = np.array(self._weights())
        return _SHAPES[int(draw.choice(len(weights), p=weights / weights.sum()))]

    def _weights(self) -> tuple[float, float, float, float]:
        return self.strokes, self.boxes, self.segments, self.outpainting


Shape = Callable[[int, int, np.random.Generator], mask_shapes.Field]
"""Height, width and draws to a field: see `mask_shapes`."""
_SHAPES: tuple[Shape, ...] = (mask_shapes.strokes, mask_shapes.boxes, mask_shapes.segments, mask_shapes.bands)


def draw_mask(height: int, width: int, draw: np.random.Generator, holes: Holes) -> npt.NDArray[np.bool_]:
    """A mask, true where to fill: height x width. The share is met as closely as straight sides allow.

    Raises:
        ConfigurationError: There are fewer than two pixels.
    """
    require(height * width >= 2, "height x width", height * width, "at least two pixels, one to fill and one to know")
    share = draw.uniform(holes.least_share, holes.most_share)
    return mask_shapes.lowest(holes.shape(draw)(height, width, draw), share)


def torn(photos: Tensor, masks: Tensor) -> Tensor:
    """Photos with holes, and their masks: what a network that fills holes is given.

    Args:
        photos: N x C x H x W in [-1, 1].
        masks: N x 1 x H x W booleans, true where to fill.

    Returns:
        N x (C + 1) x H x W.
    """
    hole = torch.full((), HOLE_LEVEL, device=photos.device) / torch.full((), 127.5, device=photos.device) - 1.0
    return torch.cat([torch.where(masks, hole, on_levels(photos)), masks.float() * 2.0 - 1.0], dim=1)
