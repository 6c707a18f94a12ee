"""Pictures moved by a few pixels at random."""

import torch
from torch import Tensor

from translate.errors import ConfigurationError
from translate.moving import moved
from translate.networks.shapes import Shape, is_picture


def moved_at_random(pictures: Tensor, *, most_px: int) -> Tensor:
    """Each picture moved by up to `most_px` whole pixels either way, with what lies at the border repeated.

    Args:
        pictures: N x C x H x W; returned as they are where `most_px` is 0, and so are vectors then.
        most_px: the largest shift across and down; drawn from torch's global generator of the device.
    """
    if most_px == 0:
        return pictures
    offsets = torch.randint(2 * most_px + 1, (2, len(pictures)), device=pictures.device)
    return moved(pictures, offsets, most_px=most_px)


def require_movable(shape: Shape, most_px: int, option: str) -> None:
    """Raises ConfigurationError, with the name of the option, where vectors would be moved as if they were pictures."""
    if most_px and not is_picture(shape):
        raise ConfigurationError(
            f"--{option} {most_px} moves pictures, and the samples are vectors of {shape[0]} numbers: choose 0"
        )
