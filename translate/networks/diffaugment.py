"""Changes of pictures before a discriminator sees them, through which gradients flow to the generator.

Zhao, Liu, Lin, Zhu and Han, "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020,
https://arxiv.org/abs/2006.10738, with their strengths. What the discriminator sees of real and of made pictures is
changed in the same ways, so that the generator need not imitate the changes. As in Karras et al. 2020 (ADA) each
change befalls each picture with a probability; with 1 it is Zhao's.

Nothing is clamped: that would end gradients, and kornia's own colour changes clamp. Draws come from torch's global
generators.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from kornia.geometry.transform import translate
from torch import Tensor

from translate.placing import numbers

Change = Literal["colour", "translation", "cutout"]

SHIFT = 1 / 8
"""Largest shift, as a part of height and width."""
CUT = 1 / 2
"""Side of what is cut out, as a part of height and width."""
_COLOURS = 3


def augmented(pictures: Tensor, changes: tuple[Change, ...], probability: float | Tensor) -> Tensor:
    """Pictures of the same shape, each changed at random.

    Args:
        pictures: N x C x H x W in [-1, 1], float32 or float64.
        changes: what to do, in this order.
        probability: of each step of a change for each picture (colour has three steps), 0 to 1.
    """
    for change in changes:
        pictures = _CHANGES[change](pictures, probability)
    return pictures


def brightened(pictures: Tensor, by: Tensor) -> Tensor:
    """Pictures plus one number each: N."""
    return pictures + by.view(-1, 1, 1, 1)


def saturated(pictures: Tensor, factor: Tensor) -> Tensor:
    """Each pixel's distance from its grey (mean over channels) times `factor`: N."""
    grey = pictures.mean(dim=1, keepdim=True)
    return grey + (pictures - grey) * factor.view(-1, 1, 1, 1)


def contrasted(pictures: Tensor, factor: Tensor) -> Tensor:
    """Each picture's distance from its mean times `factor`: N."""
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (pictures - mean) * factor.view(-1, 1, 1, 1)


def shifted(pictures: Tensor, right_down_px: Tensor) -> Tensor:
    """Pictures moved by N x 2 whole pixels (to the right, down); mid-grey (0) comes in."""
    return translate(pictures, right_down_px)


def cut(pictures: Tensor, left_top: Tensor, width_height: Tensor) -> Tensor:
    """Mid-grey (0) within a box a picture: N x 2 pixels from the left and the top (it may stick out), N x 2 sizes."""
    offset = [
        torch.arange(length, device=pictures.device) - start[:, None]
        for length, start in zip((pictures.shape[3], pictures.shape[2]), left_top.unbind(1), strict=True)
    ]
    inside = [(at >= 0) & (at < size[:, None]) for at, size in zip(offset, width_height.unbind(1), strict=True)]
    return pictures.masked_fill((inside[0][:, None, :] & inside[1][:, :, None])[:, None], 0.0)


def _colour(pictures: Tensor, probability: float | Tensor) -> Tensor:
    colours, opacity = pictures[:, :_COLOURS], pictures[:, _COLOURS:]
    colours = brightened(colours, _drawn(colours, probability, low=-0.5, high=0.5, otherwise=0.0))
    colours = saturated(colours, _drawn(colours, probability, low=0.0, high=2.0, otherwise=1.0))
    colours = contrasted(colours, _drawn(colours, probability, low=0.5, high=1.5, otherwise=1.0))
    return torch.cat([colours, opacity], dim=1)


def _translation(pictures: Tensor, probability: float | Tensor) -> Tensor:
    hit = _hit(pictures, probability)
    most = [int(length * SHIFT + 0.5) for length in (pictures.shape[3], pictures.shape[2])]
    shifts = [_whole(pictures, -px, px) for px in most]
    return shifted(pictures, torch.stack(shifts, dim=1).to(pictures.dtype) * hit[:, None])


def _cutout(pictures: Tensor, probability: float | Tensor) -> Tensor:
    hit = _hit(pictures, probability)
    sides = [pictures.shape[3], pictures.shape[2]]
    sizes = [int(length * CUT + 0.5) for length in sides]
    # The middle falls anywhere in the picture, so that a box may stick out.
    starts = [_whole(pictures, -(size // 2), side - (size + 1) // 2) for side, size in zip(sides, sizes, strict=True)]
    box = numbers(sizes, pictures.device) * hit[:, None]
    return cut(pictures, torch.stack(starts, dim=1), box)


def _whole(pictures: Tensor, low: int, high: int) -> Tensor:
    """N whole numbers from `low` to `high`, both included."""
    return torch.randint(low, high + 1, (len(pictures),), device=pictures.device)


def _hit(pictures: Tensor, probability: float | Tensor) -> Tensor:
    """N times whether a picture is changed."""
    return torch.rand(len(pictures), device=pictures.device) < probability


def _drawn(pictures: Tensor, probability: float | Tensor, *, low: float, high: float, otherwise: float) -> Tensor:
    """N numbers: uniform from `low` to `high`, but `otherwise` where a picture is not changed."""
    share = torch.rand(len(pictures), device=pictures.device, dtype=pictures.dtype)
    return torch.where(_hit(pictures, probability), low + (high - low) * share, otherwise)


_CHANGES: Mapping[Change, Callable[[Tensor, float | Tensor], Tensor]] = {
    "colour": _colour,
    "translation": _translation,
    "cutout": _cutout,
}
