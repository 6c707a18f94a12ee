"""Blur kernels of Real-ESRGAN's degradations: Gaussians, generalised and with a plateau, and ideal low passes.

Wang et al. 2021, "Real-ESRGAN", sections 3.1 and 3.4; the probabilities are those of its published options. Kernels are
computed on the CPU in double precision, so that they are the same on every device.
"""

from collections.abc import Callable
from dataclasses import dataclass

import kornia.filters as filters
import numpy as np
import numpy.typing as npt
import torch
from scipy import special
from torch import Tensor

from translate.placing import placed

Kernel = npt.NDArray[np.float64]
Profile = Callable[[Kernel, float], Kernel]
"""Squared distances and a shape to weights."""

_SIZES_PX = tuple(range(7, 22, 2))


def gaussian(squared: Kernel, shape: float) -> Kernel:
    """exp(-d^(2 shape)/2) at distances d in standard deviations: Gauss's at 1, peaked below, flat above."""
    return np.exp(-0.5 * squared**shape)


def plateau(squared: Kernel, shape: float) -> Kernel:
    """1 / (1 + d^(2 shape)) at distances d in standard deviations."""
    return 1.0 / (1.0 + squared**shape)


@dataclass(frozen=True, kw_only=True)
class _Family:
    """A profile, how often it is drawn and how often it is round, and the range of its shape."""

    profile: Profile
    share: float
    round_share: float
    shapes: tuple[float, float]


_FAMILIES = (
    _Family(profile=gaussian, share=0.70, round_share=0.45 / 0.70, shapes=(1.0, 1.0)),
    _Family(profile=gaussian, share=0.15, round_share=0.8, shapes=(0.5, 4.0)),
    _Family(profile=plateau, share=0.15, round_share=0.8, shapes=(1.0, 2.0)),
)


def blur_kernel(
    size_px: int,
    profile: Profile,
    *,
    sigmas_px: tuple[float, float],
    angle: float = 0.0,
    shape: float = 1.0,
) -> Kernel:
    """A kernel, size_px x size_px, that sums to 1.

    Args:
        size_px: an odd number.
        profile: `gaussian` or `plateau`.
        sigmas_px: standard deviations along the two axes.
        angle: by which the first axis is turned from the columns' towards the rows', in radians.
        shape: of the profile.
    """
    rows, columns = _offsets(size_px)
    along = np.cos(angle) * columns + np.sin(angle) * rows
    across = np.cos(angle) * rows - np.sin(angle) * columns
    weights = profile((along / sigmas_px[0]) ** 2 + (across / sigmas_px[1]) ** 2, shape)
    return weights / weights.sum()


def low_pass_kernel(size_px: int, cutoff: float) -> Kernel:
    """The ideal low pass, cut off: it rings, as sharpened and compressed pictures do.

    cutoff J1(cutoff r) / (2 pi r), J1 being Bessel's function, divided by its sum (equation 6).

    Args:
        size_px: an odd number.
        cutoff: in radians a pixel, above 0 up to pi.
    """
    rows, columns = _offsets(size_px)
    radius = np.hypot(rows, columns)
    radius[size_px // 2, size_px // 2] = 1.0
    weights = cutoff * special.j1(cutoff * radius) / (2.0 * np.pi * radius)
    weights[size_px // 2, size_px // 2] = cutoff**2 / (4.0 * np.pi)
    return weights / weights.sum()


def drawn_blur_kernel(draw: np.random.Generator, sigmas_px: tuple[float, float]) -> Kernel:
    """A kernel of some family, size, direction and shape, with standard deviations in the range `sigmas_px`."""
    family = _FAMILIES[int(draw.choice(len(_FAMILIES), p=[family.share for family in _FAMILIES]))]
    first, second = draw.uniform(*sigmas_px, 2)
    is_round = draw.uniform() < family.round_share
    least, most = family.shapes
    return blur_kernel(
        _drawn_size_px(draw),
        family.profile,
        sigmas_px=(first, first if is_round else second),
        angle=0.0 if is_round else draw.uniform(-np.pi, np.pi),
        shape=draw.uniform(least, 1.0) if draw.uniform() < 0.5 else draw.uniform(1.0, most),
    )


def drawn_low_pass_kernel(draw: np.random.Generator) -> Kernel:
    """An ideal low pass of some size, whose cutoff is from pi/3 to pi, or pi/5 to pi for 13 px and more."""
    size_px = _drawn_size_px(draw)
    return low_pass_kernel(size_px, draw.uniform(np.pi / 3 if size_px < 13 else np.pi / 5, np.pi))


def filtered(picture: Tensor, kernel: Kernel) -> Tensor:
    """A picture, 1 x C x H x W, under a kernel; mirrored at its sides, or continued where it is too small for that."""
    border = "reflect" if min(picture.shape[-2:]) > len(kernel) // 2 else "replicate"
    weights = placed(torch.from_numpy(kernel.astype(np.float32)), picture.device)
    return filters.filter2d(picture, weights.unsqueeze(0), border_type=border)


def _drawn_size_px(draw: np.random.Generator) -> int:
    return int(draw.choice(_SIZES_PX))


def _offsets(size_px: int) -> tuple[Kernel, Kernel]:
    """Rows and columns from the middle, each size_px x size_px."""
    steps = np.arange(size_px) - (size_px - 1) / 2
    rows, columns = np.meshgrid(steps.astype(np.float64), steps.astype(np.float64), indexing="ij")
    return rows, columns
