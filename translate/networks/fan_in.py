"""First weights by fan-in: a layer's outputs have the mean square of its inputs, times the gain's square.

He et al. 2015, https://arxiv.org/abs/1502.01852, equations 10 and 15.
"""

from math import prod, sqrt
from typing import TypeVar

from torch import nn

from translate.networks.blocks import LEAK

Layer = TypeVar("Layer", bound=nn.Linear | nn.Conv2d | nn.ConvTranspose2d)

RELU_GAIN = sqrt(2.0)
"""Makes good what ReLU takes away."""
LEAKY_GAIN = sqrt(2.0 / (1.0 + LEAK**2))
"""The same for LeakyReLU of slope 0.2."""


def scaled_by_fan_in(layer: Layer, gain: float = 1.0) -> Layer:
    """The layer, with weights from N(0, gain² / fan-in) and biases 0."""
    nn.init.normal_(layer.weight, 0.0, gain / sqrt(_fan_in(layer)))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def scale_by_fan_in(network: nn.Module, gain: float) -> None:
    """The same for every layer of the network, in place."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            scaled_by_fan_in(layer, gain)


def _fan_in(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Numbers that one output is a sum of, away from borders."""
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.in_channels * prod(layer.kernel_size) / prod(layer.stride)
    return layer.weight[0].numel()
