"""A generator that colours: it keeps the lightness of its input and gives the colours alone.

CIE L*a*b* separates them (Zhang et al. 2016, https://arxiv.org/abs/1603.08511, section 2), so that nothing of the
drawing can be lost, and two channels are to be learnt in place of three.
"""

import kornia.color as color
import torch
from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.errors import ConfigurationError
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

_MOST_COLOUR = 110.0
"""The a and b of sRGB colours go from -108 to 99 (of a: -87 to 99)."""


class InLab(nn.Module):
    """L of the grey picture, 110 `network`(it) as a and b, and back to RGB (D65, sRGB)."""

    def __init__(self, *, network: UNet | ResNet, inputs: int, outputs: int) -> None:
        super().__init__()
        if (inputs, outputs) != (1, 3):
            raise ConfigurationError(
                f"--config.generator.colours lab makes RGB out of one grey picture, not {outputs} channels out of "
                f"{inputs}: choose rgb"
            )
        self.network = network
        self.size_rule: SizeRule = network.size_rule
        self.tiling: Tiling = network.tiling

    def forward(self, grey: Tensor) -> Tensor:
        """N x 1 x H x W to N x 3 x H x W, both in [-1, 1]."""
        # In float32: the cube root's gradient does not survive fewer bits.
        with torch.autocast(grey.device.type, enabled=False):
            lightness = color.rgb_to_lab(_unit(grey.float()).expand(-1, 3, -1, -1))[:, :1]
        colours = self.network(grey)
        with torch.autocast(grey.device.type, enabled=False):
            return color.lab_to_rgb(torch.cat([lightness, _MOST_COLOUR * colours.float()], dim=1)) * 2.0 - 1.0


def _unit(pictures: Tensor) -> Tensor:
    return (pictures + 1.0) / 2.0
