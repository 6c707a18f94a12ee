"""Perceptual loss: pictures are alike where a network that knows pictures sees them alike."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from translate.errors import ConfigurationError
from translate.losses.reconstruction import l1

Backbone = Callable[[Tensor], Sequence[Tensor]]
"""Feature maps of several depths, of N x C x H x W in [-1, 1]. A frozen module, or any function."""


def perceptual(backbone: Backbone, made: Tensor, true: Tensor, *, weights: Sequence[float]) -> Tensor:
    """Weighted sum over layers of the L1 between feature maps (Johnson et al. 2016; L1 as in pix2pixHD).

    Args:
        backbone: gives the feature maps. Never one that also scores the results: a network that trained a model
            must not judge it.
        made: N x C x H x W in [-1, 1]; only its side has a gradient.
        true: the same shape.
        weights: one for each feature map; a layer of weight 0 is left out.

    Raises:
        ConfigurationError: if there are not as many weights as feature maps.
    """
    with torch.no_grad():
        of_true = backbone(true)
    of_made = backbone(made)
    if len(weights) != len(of_made):
        raise ConfigurationError(
            f"The perceptual loss got {len(weights)} weights for {len(of_made)} feature maps: give one a map"
        )
    layers = zip(weights, of_made, of_true, strict=True)
    return torch.stack([weight * l1(a, b) for weight, a, b in layers if weight]).sum()
