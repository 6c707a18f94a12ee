"""How far an output is from its target, picture by picture: PSNR, SSIM and L1.

Every function takes two N x C x H x W tensors in [-1, 1] and gives N numbers, so that a report can show the worst
picture and a batch can be scored without keeping it. C is any number of channels. Values outside [-1, 1] are
clamped first, as they would be on the way to a file.
"""

from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from translate.errors import ConfigurationError

RANGE = (-1.0, 1.0)

PSNR_CEILING_DB = 100.0
"""Equal pictures have an infinite PSNR, which no mean survives; an error of one level of 255 everywhere has 48 dB."""

_SSIM_WINDOW_PX = 11
_LEVELS_PER_UNIT = 127.5


def psnr_db(output: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each picture in dB, for a peak-to-peak range of 2; at most `PSNR_CEILING_DB`."""
    _require_pair(output, target)
    ratio = peak_signal_noise_ratio(output.float(), target.float(), data_range=RANGE, reduction="none", dim=(1, 2, 3))
    return ratio.clamp(max=PSNR_CEILING_DB)


def ssim(output: Tensor, target: Tensor) -> Tensor:
    """Structural similarity of each picture, at most 1; channels are averaged.

    Wang et al. 2004: a Gaussian window of standard deviation 1.5 px, 11 x 11, population covariances, and only windows
    that lie inside the picture (no padding invents pixels), which is what the authors' code and scikit-image do. It is
    taken on [0, 1], since it compares means, which must not be negative: on [-1, 1] it would be another number.

    Raises:
        ConfigurationError: The shapes differ, or a side is shorter than the window.
    """
    _require_pair(output, target)
    if min(output.shape[-2:]) < _SSIM_WINDOW_PX:
        raise ConfigurationError(
            f"SSIM needs pictures of at least {_SSIM_WINDOW_PX} px a side, these are {tuple(output.shape[-2:])}: "
            "score larger pictures or leave SSIM out"
        )
    _, windows = structural_similarity_index_measure(
        _positive(output), _positive(target), data_range=(0.0, 1.0), reduction="none", return_full_image=True
    )
    border = _SSIM_WINDOW_PX // 2
    return windows[..., border:-border, border:-border].mean(dim=(1, 2, 3))


def l1_levels(output: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of each picture in levels of 255: 0 for equal pictures, 255 for black against white."""
    _require_pair(output, target)
    difference = output.float().clamp(*RANGE) - target.float().clamp(*RANGE)
    return difference.abs().mean(dim=(1, 2, 3)) * _LEVELS_PER_UNIT


def _positive(pictures: Tensor) -> Tensor:
    return (pictures.float() + 1) / 2


def _require_pair(output: Tensor, target: Tensor) -> None:
    if output.shape != target.shape or output.ndim != 4:
        raise ConfigurationError(
            f"Cannot compare pictures of shapes {tuple(output.shape)} and {tuple(target.shape)}: "
            "give two N x C x H x W tensors of one shape"
        )
