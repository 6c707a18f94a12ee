"""How a drawn sign leans, how thick its strokes are: what InfoGAN's continuous codes turn out to control on digits.

Both measure light strokes on a dark ground, N x 1 x H x W in [-1, 1], and give N numbers; NaN without ink.
"""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn import functional

_ENLARGED = 4
_INK = 0.5
_NO_INK = 1e-3


def slant_degrees(pictures: Tensor) -> Tensor:
    """How far strokes lean from upright: positive to the right, as in a slash; 0 for a sign that stands upright.

    The shear that takes the correlation of rows and columns out of the ink, atan(m11 / m02) of its central moments, as
    digits are deslanted. A sign that slopes by itself (a 7) has an angle of its own: compare one sign's pictures.
    """
    ink = _ink(pictures)
    total = ink.sum(dim=(1, 2))
    rows, columns = torch.meshgrid(*(torch.arange(side).double() for side in ink.shape[1:]), indexing="ij")
    down = rows - ((ink * rows).sum(dim=(1, 2)) / total)[:, None, None]
    right = columns - ((ink * columns).sum(dim=(1, 2)) / total)[:, None, None]
    leaning, height = (ink * down * right).sum(dim=(1, 2)), (ink * down.square()).sum(dim=(1, 2))
    angles = torch.rad2deg(torch.atan2(-leaning, height))
    return torch.where(total > _NO_INK, angles, torch.nan)


def stroke_width_px(pictures: Tensor) -> Tensor:
    """The mean width of strokes in pixels of the picture.

    Across a stroke of width w the distance to its edge is w/4 on average; so four times the mean distance over the ink,
    taken on a picture that is enlarged fourfold, where the edge is known to a quarter of a pixel.
    Free ends make it a little less: a bar of width w and length l has w - w^2 / 3l.
    """
    ink = _ink(pictures)[:, None]
    large = functional.interpolate(ink, scale_factor=_ENLARGED, mode="bilinear", align_corners=False)[:, 0]
    return torch.tensor([_width(picture) for picture in large.numpy()], dtype=torch.float64) / _ENLARGED


def _width(picture: np.ndarray) -> float:
    inside = picture > _INK
    if not inside.any():
        return float("nan")
    # Pixel centres lie half a pixel inside the edge that the transform measures to.
    depths = np.asarray(distance_transform_edt(np.pad(inside, 1)))[1:-1, 1:-1][inside] - 0.5
    return float(4 * depths.mean())


def _ink(pictures: Tensor) -> Tensor:
    """N x H x W from 0 (ground) to 1 (full ink), float64."""
    return ((pictures.detach().cpu().double().clamp(-1, 1) + 1) / 2).mean(dim=1)
