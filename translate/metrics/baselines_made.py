"""What a model has to beat where its input was made from a photo: by enlarging, filling and colouring without learning.

As every baseline, each takes and gives the pixels of one picture. What fills holes takes the mask as well, as the
last channel: from 128 on where to fill.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self, cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from kornia import color
from PIL import Image
from scipy import ndimage
from torch import Tensor

from translate.errors import DatasetError
from translate.metrics.baselines import Pixels, rgb

_RADIUS_PX = 3.0
"""As in OpenCV's tutorial."""
_FILL_FROM_LEVEL = 128

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "Lanczos": Image.Resampling.LANCZOS}
_INPAINTERS = {"Telea": cv2.INPAINT_TELEA, "Navier-Stokes": cv2.INPAINT_NS}


@dataclass(frozen=True, kw_only=True)
class Enlarged:
    """Interpolated, by Pillow."""

    scale: int
    kernel: Literal["bicubic", "Lanczos"]

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return self.kernel

    def __call__(self, picture: Pixels) -> Pixels:
        """H x W x 3, or grey, to sH x sW x 3."""
        height, width = picture.shape[:2]
        size = width * self.scale, height * self.scale
        return np.asarray(Image.fromarray(np.ascontiguousarray(rgb(picture))).resize(size, _FILTERS[self.kernel]))


@dataclass(frozen=True, kw_only=True)
class Inpainted:
    """Filled from the hole's border inwards, by OpenCV: Telea 2004, or Bertalmio et al. 2001 (Navier-Stokes)."""

    kind: Literal["Telea", "Navier-Stokes"]
    radius_px: float = _RADIUS_PX
    """How far it looks around each pixel."""

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return f"OpenCV, {self.kind}"

    def __call__(self, picture: Pixels) -> Pixels:
        """H x W x 4, or grey with its mask, to H x W x 3; what is known stays."""
        known, hole = _torn(picture)
        filled = cv2.inpaint(known, hole.astype(np.uint8), self.radius_px, _INPAINTERS[self.kind])
        return np.where(hole[..., None], filled.astype(np.uint8), known)


@dataclass(frozen=True, kw_only=True)
class BorderMean:
    """Each hole in one colour: the mean of the known pixels that touch it."""

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return "mean colour of the hole's border"

    def __call__(self, picture: Pixels) -> Pixels:
        """H x W x 4, or grey with its mask, to H x W x 3; what is known stays, and all where nothing is."""
        known, hole = _torn(picture)
        filled = known.copy()
        regions, count = cast(tuple[npt.NDArray[np.int32], int], ndimage.label(hole, structure=np.ones((3, 3))))
        for region in range(1, count + 1):
            inside = regions == region
            border = np.asarray(ndimage.binary_dilation(inside), np.bool_) & ~hole
            if border.any():
                filled[inside] = np.rint(known[border].mean(axis=0)).astype(np.uint8)
        return filled


@dataclass(frozen=True, eq=False)
class MeanColour:
    """For grey photos: every pixel gets the mean colour (a and b of CIE Lab) of the training targets."""

    ab: npt.NDArray[np.float64]

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return "mean colour"

    @classmethod
    def fit(cls, targets: Iterable[Pixels]) -> Self:
        """Fit on the training targets. Raises DatasetError where there are none."""
        means = [_lab(rgb(target))[0, 1:].mean(dim=(1, 2)) for target in targets]
        if not means:
            raise DatasetError("A domain has no training pictures to take colours from: check the training split")
        return cls(ab=torch.stack(means).mean(dim=0).double().numpy())

    def __call__(self, picture: Pixels) -> Pixels:
        """The picture with its own lightness; colours that no screen shows are clipped."""
        lightness = _lab(rgb(picture))[:, :1]
        height, width = lightness.shape[2:]
        ab = torch.from_numpy(self.ab).float().view(1, 2, 1, 1).expand(1, 2, height, width)
        coloured = color.lab_to_rgb(torch.cat([lightness, ab], dim=1))
        return (coloured[0] * 255.0).round().clamp(0.0, 255.0).byte().permute(1, 2, 0).numpy()


def _lab(picture: Pixels) -> Tensor:
    """1 x 3 x H x W: lightness from 0 to 100, a and b."""
    channels = torch.from_numpy(picture.copy()).permute(2, 0, 1)
    return color.rgb_to_lab(channels[None].float() / 255.0)


def _torn(picture: Pixels) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """The picture, H x W x 3, and where to fill, H x W."""
    return np.ascontiguousarray(rgb(picture[..., :-1])), picture[..., -1] >= _FILL_FROM_LEVEL
