"""A perceptual distance over the feature maps of a backbone, named after it.

It follows LPIPS (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", eq. 1)
with all weights equal: LPIPS's learnt weights belong to its own backbones, so these figures are *not* LPIPS.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.metrics.backbone import Backbone, as_backbone_input


class PerceptualDistance:
    """Distance of two pictures as a backbone sees them: 0 for equal ones, at most 4 (opposite features).

    Args:
        backbone: A frozen network that had no part in training what is scored.
        name: The backbone's name, for the label ("EfficientNet-Lite1").
    """

    def __init__(self, backbone: Backbone, *, name: str) -> None:
        self._backbone = backbone
        self.label = f"perceptual distance ({name})"

    @torch.no_grad()
    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """The N distances of two N x C x H x W tensors in [-1, 1], C = 1, 3 or 4; lower is closer.

        Raises:
            ConfigurationError: The shapes differ, or the pictures are neither grey, RGB nor RGBA.
        """
        if output.shape != target.shape:
            raise ConfigurationError(
                f"Cannot compare pictures of shapes {tuple(output.shape)} and {tuple(target.shape)}: "
                "give two N x C x H x W tensors of one shape"
            )
        return distance_of_features(
            self._backbone.features(as_backbone_input(output)), self._backbone.features(as_backbone_input(target))
        )


def distance_of_features(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """The mean over depths of the spatial mean of the squared distance of unit-length features: N numbers.

    Args:
        first: Feature maps of N pictures at several depths, each N x C x h x w.
        second: Those of N other pictures, of the same shapes.
    """
    depths = [_distance_at_one_depth(a, b) for a, b in zip(first, second, strict=True)]
    return torch.stack(depths).mean(dim=0)


def _distance_at_one_depth(a: Tensor, b: Tensor) -> Tensor:
    difference = functional.normalize(a, dim=1) - functional.normalize(b, dim=1)
    return difference.square().sum(dim=1).mean(dim=(1, 2))
