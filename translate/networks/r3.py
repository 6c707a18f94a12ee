"""R3GAN's generator and discriminator: no norm, residual blocks that begin as the identity, resampling by itself.

Huang, Gokaslan, Kuleshov and Tompkin 2024, "The GAN is dead; long live the GAN!", https://arxiv.org/abs/2501.05441,
section 3 and appendix; fix-up's first weights are Zhang et al. 2019, https://arxiv.org/abs/1901.09321.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.blocks import LEAK
from translate.networks.choice import at_least
from translate.networks.fan_in import LEAKY_GAIN, scaled_by_fan_in
from translate.networks.resample import Blur
from translate.networks.shapes import SEED_PX, Shape, doublings, level_widths

EXPANSION = 2
"""How many times wider a block is inside."""
GROUP_WIDTH = 16
"""Channels of one group of a block's 3 x 3 convolution, as in all published sizes."""


class InvertedBottleneck(nn.Module):
    """x + f(x) on N x `channels` x H x W; f is 1 x 1 to twice the channels, 3 x 3 in groups of 16, 1 x 1 back.

    `depth` is L, the number of blocks in the network: f's last layer begins as 0, the two others are drawn by fan-in
    times L^(-1/4), so that L blocks together change the variance by a bounded factor.

    Raises:
        ConfigurationError: twice the channels are more than 16 and no multiple of it.
    """

    def __init__(self, *, channels: int, depth: int) -> None:
        super().__init__()
        inside = EXPANSION * channels
        if inside > GROUP_WIDTH and inside % GROUP_WIDTH:
            raise ConfigurationError(f"width is {channels}: a network of kind r3 takes multiples of 8")
        gain = LEAKY_GAIN * depth**-0.25
        self.residual = nn.Sequential(
            scaled_by_fan_in(nn.Conv2d(channels, inside, 1), gain),
            nn.LeakyReLU(LEAK),
            scaled_by_fan_in(nn.Conv2d(inside, inside, 3, padding=1, groups=max(1, inside // GROUP_WIDTH)), gain),
            nn.LeakyReLU(LEAK),
            scaled_by_fan_in(nn.Conv2d(inside, channels, 1, bias=False), 0.0),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape; no activation after the sum."""
        return maps + self.residual(maps)


class Basis(nn.Module):
    """N x `inputs` to N x `channels` x 4 x 4: one learnt map a channel, which a linear function of z multiplies."""

    def __init__(self, *, inputs: int, channels: int) -> None:
        super().__init__()
        self.maps = nn.Parameter(torch.randn(channels, SEED_PX, SEED_PX))
        self.strength = scaled_by_fan_in(nn.Linear(inputs, channels, bias=False))

    def forward(self, z: Tensor) -> Tensor:
        """The maps, of variance 1 for z of variance 1."""
        return self.strength(z)[:, :, None, None] * self.maps


def r3_generator(inputs: int, shape: Shape, *, width: int, blocks: int) -> nn.Sequential:
    """N x `inputs` to N x C x S x S, about [-1, 1]: nothing bounds it.

    `width` channels lie at S, twice as many a level inwards, up to 8 times; `blocks` at every size from 4 px to S.
    """
    widths = level_widths(width, doublings(shape, "r3") + 1)[::-1]
    depth = len(widths) * at_least(1, blocks, "blocks")
    stages: list[nn.Module] = [Basis(inputs=inputs, channels=widths[0]), *_row(widths[0], blocks, depth)]
    for given, made in pairwise(widths):
        stages += [*_mixed(given, made), _enlarged(), *_row(made, blocks, depth)]
    return nn.Sequential(*stages, _pointwise(width, shape[0]))


def r3_stages(shape: Shape, *, width: int, blocks: int) -> tuple[list[nn.Module], int]:
    """The generator's mirror, one stage a size, the last of which sums each map in its own way; and how many features.

    N x C x S x S to N x features.
    """
    widths = level_widths(width, doublings(shape, "r3") + 1)
    depth = len(widths) * at_least(1, blocks, "blocks")
    stages: list[nn.Module] = [nn.Sequential(_pointwise(shape[0], width), *_row(width, blocks, depth))]
    for given, made in pairwise(widths):
        stages.append(nn.Sequential(Blur(channels=given, taps=4), *_mixed(given, made), *_row(made, blocks, depth)))
    summed = scaled_by_fan_in(nn.Conv2d(widths[-1], widths[-1], SEED_PX, groups=widths[-1], bias=False))
    return [*stages, nn.Sequential(summed, nn.Flatten())], widths[-1]


def _row(channels: int, blocks: int, depth: int) -> Iterator[nn.Module]:
    for _ in range(blocks):
        yield InvertedBottleneck(channels=channels, depth=depth)


def _mixed(inputs: int, outputs: int) -> Iterator[nn.Module]:
    """A 1 x 1 convolution where the number of channels changes; on the smaller side of the resampling."""
    if inputs != outputs:
        yield _pointwise(inputs, outputs)


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return scaled_by_fan_in(nn.Conv2d(inputs, outputs, 1, bias=False))


def _enlarged() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
