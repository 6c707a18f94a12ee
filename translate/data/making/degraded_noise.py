"""Noise of sensors: the same everywhere (Gaussian), or growing with the light (Poisson, shot noise).

The normal numbers that both start from are drawn on the CPU; the rest is arithmetic on the picture's device.
"""

import numpy as np
import torch
from torch import Tensor

from translate.placing import numbers, placed

_LUMA = (0.299, 0.587, 0.114)
_COUNTS = 255.0
"""Light of a white pixel, in photons: what 8 bits can tell apart, as Real-ESRGAN takes it for photos."""


def with_gaussian_noise(picture: Tensor, draw: np.random.Generator, *, levels: float, grey: bool) -> Tensor:
    """Noise of one standard deviation everywhere.

    Args:
        picture: 1 x C x H x W in [0, 1].
        draw: what the noise is drawn from.
        levels: the standard deviation, in levels of 255.
        grey: whether all channels get the same noise.
    """
    return (picture + _normal(picture, draw, grey=grey) * (levels / 255.0)).clamp(0.0, 1.0)


def with_poisson_noise(picture: Tensor, draw: np.random.Generator, *, strength: float, grey: bool) -> Tensor:
    """Noise of photons that are counted: its variance is the light's.

    A count of mean m is taken as m + sqrt(m) z + (z² - 1) / 6 for a normal number z, which has its mean, its variance
    and its skewness (Cornish and Fisher 1938), and is the same on every device.

    Args:
        picture: 1 x C x H x W in [0, 1].
        draw: what the noise is drawn from.
        strength: the noise is multiplied by it.
        grey: whether all channels get the same noise: that of the luma.
    """
    light = (_luma(picture) if grey else picture).clamp(0.0, 1.0) * _COUNTS
    normal = _normal(picture, draw, grey=grey)
    skewed = (normal.square() - 1.0) / 6.0 * light.clamp(max=1.0)  # where no light falls nothing is counted
    counts = (light + light.sqrt() * normal + skewed).clamp(min=0.0)
    return (picture + (counts - light) * (strength / _COUNTS)).clamp(0.0, 1.0)


def _normal(picture: Tensor, draw: np.random.Generator, *, grey: bool) -> Tensor:
    _, channels, height, width = picture.shape
    normal = draw.standard_normal((1, 1 if grey else channels, height, width), dtype=np.float32)
    return placed(torch.from_numpy(normal), picture.device)


def _luma(picture: Tensor) -> Tensor:
    if picture.shape[1] == 1:
        return picture
    weights = numbers(_LUMA, picture.device).view(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True)
