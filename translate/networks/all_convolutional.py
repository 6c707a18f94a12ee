"""The chain of nine convolutions that semi-supervised GANs classify with, for pictures of any size from 12 px.

Salimans et al. 2016, https://arxiv.org/abs/1606.03498, as published for CIFAR-10; after Springenberg et al. 2015,
https://arxiv.org/abs/1412.6806.
"""

from torch import nn

from translate.errors import ConfigurationError
from translate.networks.blocks import LEAK
from translate.networks.fan_in import LEAKY_GAIN, scaled_by_fan_in
from translate.networks.norm import Norm, needs_bias, norm_layer
from translate.networks.shapes import Shape, require_picture

_LEAST_PX = 12


def classifying_stages(shape: Shape, *, width: int, norm: Norm) -> tuple[list[nn.Module], int]:
    """Three stages of three convolutions, the last of which ends in a mean over all places; and how many features.

    Width 96 is the published one. Dropout belongs between the stages.

    Raises:
        ConfigurationError: the samples are vectors, or smaller than 12 px.
    """
    require_picture(shape, "conv")
    if min(shape[1:]) < _LEAST_PX:
        raise ConfigurationError(
            f"Pictures are {shape[1]} x {shape[2]} px, and a network of kind conv takes at least {_LEAST_PX} px: "
            "enlarge them, or choose kind mlp"
        )
    wide = 2 * width
    stages: list[nn.Module] = [
        _halving(shape[0], width, norm),
        _halving(width, wide, norm),
        nn.Sequential(
            _convolution(wide, wide, norm, padding=0),
            _convolution(wide, wide, norm, kernel=1, padding=0),
            _convolution(wide, wide, norm, kernel=1, padding=0),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ),
    ]
    return stages, wide


def _halving(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inputs, outputs, norm),
        _convolution(outputs, outputs, norm),
        _convolution(outputs, outputs, norm, stride=2),
    )


def _convolution(
    inputs: int, outputs: int, norm: Norm, *, kernel: int = 3, stride: int = 1, padding: int = 1
) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=needs_bias(norm))
    return nn.Sequential(scaled_by_fan_in(layer, LEAKY_GAIN), norm_layer(norm, outputs), nn.LeakyReLU(LEAK))
