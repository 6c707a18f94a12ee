"""Structural similarity as a loss."""

from kornia.metrics import ssim
from torch import Tensor

from translate.errors import ConfigurationError
from translate.losses.scores import at_least_float32

WINDOW_PX = 11


def structural(made: Tensor, true: Tensor) -> Tensor:
    """1 - SSIM, from 0 (equal) to 2 (Wang et al. 2004: Gaussian window of 11 px, sigma 1.5, K1 .01, K2 .03).

    Mean over windows that lie inside the picture, over channels and pictures. In float32 under autocast too (kornia
    switches it off), since SSIM subtracts squares that are nearly equal.

    Args:
        made: N x C x H x W in [-1, 1], at least 11 px high and wide.
        true: the same shape.

    Raises:
        ConfigurationError: for pictures smaller than the window.
    """
    if min(made.shape[-2:]) < WINDOW_PX:
        raise ConfigurationError(
            f"The SSIM loss needs pictures of at least {WINDOW_PX} x {WINDOW_PX} px, not "
            f"{made.shape[-2]} x {made.shape[-1]}: enlarge the crop, or set the weight of SSIM to 0"
        )
    return 1 - ssim(_unit_range(made), _unit_range(true), WINDOW_PX, eps=0.0, padding="valid").mean()


def _unit_range(picture: Tensor) -> Tensor:
    # SSIM compares mean brightness, which must not be negative.
    return (at_least_float32(picture) + 1) / 2
