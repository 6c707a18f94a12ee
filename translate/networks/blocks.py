"""The stages that several networks are built of: a convolution, its norm, its activation, in that order."""

from torch import nn

from translate.networks.norm import Norm, norm_layer
from translate.networks.resample import Halving

LEAK = 0.2
"""Slope of LeakyReLU under 0 in encoders and discriminators, as in DCGAN, https://arxiv.org/abs/1511.06434."""


def halving_stage(
    halving: Halving, inputs: int, outputs: int, *, norm: Norm, bias: bool, activation: nn.Module
) -> nn.Sequential:
    """N x `inputs` x H x W to N x `outputs` x H/2 x W/2."""
    return nn.Sequential(
        halving.convolution(inputs, outputs, bias=bias),
        norm_layer(norm, outputs),
        activation,
        halving.after_activation(outputs),
    )


def dropout_layer(probability: float) -> nn.Module:
    """Dropout, or nothing at probability 0 (so that no random number is drawn)."""
    return nn.Dropout(probability) if probability > 0 else nn.Identity()
