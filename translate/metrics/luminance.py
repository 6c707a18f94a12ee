"""PSNR and SSIM as papers on super-resolution report them: on luminance, with the border left out.

They follow MATLAB's `rgb2ycbcr` (ITU-R BT.601, 16 to 235), so that figures can be held beside published ones. The same
pictures score about 1.3 dB more than over RGB, where the range is wider.
"""

import torch
from torch import Tensor

from translate.errors import ConfigurationError
from translate.metrics.pairwise import psnr_db, ssim

_WEIGHTS = (65.481, 128.553, 24.966)
_BLACK = 16.0
_MOST = 255.0


def luminance(pictures: Tensor) -> Tensor:
    """Y of N x 3 x H x W RGB in [-1, 1], as N x 1 x H x W in the same scale: black is 16 of 255, white 235."""
    weights = torch.tensor(_WEIGHTS, dtype=torch.float64, device=pictures.device).view(1, 3, 1, 1)
    positive = (pictures.double().clamp(-1.0, 1.0) + 1.0) / 2.0
    level = _BLACK + (positive * weights).sum(dim=1, keepdim=True)
    return (level / _MOST * 2.0 - 1.0).float()


def luminance_psnr_db(output: Tensor, target: Tensor, *, border_px: int) -> Tensor:
    """PSNR of each picture in dB over Y, for a peak of 255.

    Args:
        output: N x 3 x H x W RGB in [-1, 1].
        target: the same shape.
        border_px: what is left out on every side; papers leave out as many pixels as the scale.

    Raises:
        ConfigurationError: The shapes differ, or nothing is left within the border.
    """
    return psnr_db(*_within(output, target, border_px))


def luminance_ssim(output: Tensor, target: Tensor, *, border_px: int) -> Tensor:
    """SSIM of each picture over Y; arguments as for `luminance_psnr_db`, with at least 11 px within the border."""
    return ssim(*_within(output, target, border_px))


def _within(output: Tensor, target: Tensor, border_px: int) -> tuple[Tensor, Tensor]:
    height, width = target.shape[-2:]
    if not 0 <= 2 * border_px < min(height, width):
        raise ConfigurationError(f"A border of {border_px} px leaves nothing of a picture of {height} x {width} px")
    inside = (..., slice(border_px, height - border_px), slice(border_px, width - border_px))
    return luminance(output)[inside], luminance(target)[inside]
