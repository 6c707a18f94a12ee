"""Pictures turned, leant, enlarged and moved a little at random: what a drawn sign may suffer and stay the same."""

import math
from dataclasses import dataclass

import torch
from kornia.geometry.transform import get_affine_matrix2d, warp_affine
from torch import Tensor

from translate.errors import ConfigurationError, require
from translate.networks.autocasting import as_given
from translate.networks.shapes import Shape, is_picture
from translate.placing import numbers

_LARGEST_ANGLE = 60.0


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """How far pictures are distorted, at most. Each amount is drawn evenly; of the scale, its logarithm.

    The defaults distort nothing.
    """

    rotate_degrees: float = 0.0
    """Turned by up to so many degrees either way."""
    shear_degrees: float = 0.0
    """Leant by up to so many degrees to the left or right."""
    scale: float = 0.0
    """Enlarged by up to this share, or made smaller by as much: 0.2 is 1 / 1.2 to 1.2 times, across and down alike."""
    shift: float = 0.0
    """Moved across and down by up to this share of the side."""

    def __post_init__(self) -> None:
        """Refuse what leaves nothing of a picture."""
        for name, degrees in (("rotate-degrees", self.rotate_degrees), ("shear-degrees", self.shear_degrees)):
            require(
                0 <= degrees <= _LARGEST_ANGLE,
                f"config.clusters.distortion.{name}",
                degrees,
                f"0 to {_LARGEST_ANGLE:g}",
            )
        require(0 <= self.scale < 1, "config.clusters.distortion.scale", self.scale, "0 to below 1")
        require(0 <= self.shift <= 0.5, "config.clusters.distortion.shift", self.shift, "0 to 0.5")

    @property
    def changes(self) -> bool:
        """Whether anything is distorted at all."""
        return any((self.rotate_degrees, self.shear_degrees, self.scale, self.shift))

    def require_picture(self, shape: Shape) -> None:
        """Raises ConfigurationError where vectors would be distorted as if they were pictures."""
        if self.changes and not is_picture(shape):
            raise ConfigurationError(
                "--config.clusters.distortion.rotate-degrees, .shear-degrees, .scale and .shift distort pictures, and "
                f"the samples are vectors of {shape[0]} numbers: choose 0 for each"
            )


@torch.no_grad()
def distorted(pictures: Tensor, by: Distortion) -> Tensor:
    """Each picture distorted by its own amounts about its middle; what comes in repeats the border.

    Args:
        pictures: N x C x H x W; returned as they are where `by` changes nothing.
        by: the largest amounts. Drawn from torch's global generator of the device.

    Returns:
        The same shape, in float32 or better, without gradients.
    """
    if not by.changes:
        return pictures
    pictures = pictures.float() if pictures.dtype in (torch.float16, torch.bfloat16) else pictures
    height, width = pictures.shape[2:]
    with as_given(pictures):
        return warp_affine(pictures, _maps(pictures, by)[:, :2], (height, width), padding_mode="border")


def _maps(pictures: Tensor, by: Distortion) -> Tensor:
    """N x 3 x 3 matrices from the pixels of the picture to those of the distorted one."""
    count, _, height, width = pictures.shape

    def drawn(most: float, each: int) -> Tensor:
        return (torch.rand(count, each, device=pictures.device, dtype=pictures.dtype) * 2 - 1) * most

    middle = numbers([(width - 1) / 2, (height - 1) / 2], pictures.device, pictures.dtype).expand(count, 2)
    return get_affine_matrix2d(
        drawn(by.shift, 2) * numbers([width, height], pictures.device, pictures.dtype),
        middle,
        (drawn(math.log1p(by.scale), 1).exp()).expand(count, 2),
        drawn(by.rotate_degrees, 1)[:, 0],
        torch.deg2rad(drawn(by.shear_degrees, 1)[:, 0]),
    )
