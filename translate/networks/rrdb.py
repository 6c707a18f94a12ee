"""RRDB: residual in residual dense blocks, Wang et al. 2018, ESRGAN, https://arxiv.org/abs/1809.00219, section 3.1.

It enlarges by nearest neighbour and convolves then, once for each factor of 2 (x 2: once). Real-ESRGAN's x 2 network
packs 2 x 2 pixels into channels instead and enlarges twice; that is four times as fast and less exact, and takes even
sizes only.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.blocks import LEAK
from translate.networks.choice import at_least
from translate.networks.enlargement import Base, EnlargedBase, enlarging_context_px, enlarging_factors
from translate.networks.receptive import Step

RESIDUAL_SCALE = 0.2
"""Every residual is multiplied by this before it is added: the paper's beta."""
_CONVOLUTIONS, _DENSE_BLOCKS = 5, 3
"""Convolutions in a dense block, and dense blocks in an RRDB, as published."""
_SAME = Step(kernel=3, padding=1)


class RRDB(nn.Module):
    """N x `channels` x H x W to N x `channels` x `scale` H x `scale` W, both about [-1, 1]; any size.

    The published one has 23 `blocks` of `width` 64 and `growth` 32, and learns the whole picture (`base` none). There
    is no norm, so tiles are exact: one output pixel sees `context_px` input pixels to each side.

    Raises:
        ConfigurationError: `scale` is not 1, 2, 3, 4, 8 ..., or there is no block.
    """

    tiling: Tiling = "exact"

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 64,
        blocks: int = 23,
        growth: int = 32,
        scale: int = 4,
        base: Base = "none",
    ) -> None:
        super().__init__()
        factors = enlarging_factors(scale)
        self.scale = scale
        self.size_rule = SizeRule()
        self.context_px = enlarging_context_px(_steps(at_least(1, blocks, "blocks"), factors), scale)
        self.first = _convolution(channels, width)
        self.body = nn.Sequential(*(DenseGroup(channels=width, growth=growth) for _ in range(blocks)))
        self.after_body = _convolution(width, width)
        self.up = nn.Sequential(*(layer for factor in factors for layer in _enlarged(width, factor)))
        self.last = nn.Sequential(_convolution(width, width), nn.LeakyReLU(LEAK), _convolution(width, channels))
        self.base = EnlargedBase(base=base, scale=scale)

    def forward(self, picture: Tensor) -> Tensor:
        """The enlarged picture."""
        maps = self.first(picture)
        maps = maps + self.after_body(self.body(maps))
        return self.base(picture, self.last(self.up(maps)))


class DenseGroup(nn.Module):
    """An RRDB: x + 0.2 f(x) on N x `channels` x H x W, where f is three dense blocks, residual themselves."""

    def __init__(self, *, channels: int, growth: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(channels=channels, growth=growth) for _ in range(_DENSE_BLOCKS)))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape."""
        return maps + RESIDUAL_SCALE * self.blocks(maps)


class DenseBlock(nn.Module):
    """x + 0.2 f(x) on N x `channels` x H x W; each of f's convolutions sees x and what all before it made."""

    def __init__(self, *, channels: int, growth: int) -> None:
        super().__init__()
        given = [channels + index * growth for index in range(_CONVOLUTIONS)]
        made = [growth] * (_CONVOLUTIONS - 1) + [channels]
        self.convolutions = nn.ModuleList(_convolution(*each) for each in zip(given, made, strict=True))
        self.activation = nn.LeakyReLU(LEAK)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape."""
        known = [maps]
        for convolution in self.convolutions[:-1]:
            known.append(self.activation(convolution(torch.cat(known, dim=1))))
        return maps + RESIDUAL_SCALE * self.convolutions[-1](torch.cat(known, dim=1))


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _enlarged(width: int, factor: int) -> Iterator[nn.Module]:
    yield nn.Upsample(scale_factor=factor, mode="nearest")
    yield _convolution(width, width)
    yield nn.LeakyReLU(LEAK)


def _steps(blocks: int, factors: list[int]) -> list[Step]:
    up = [step for factor in factors for step in (Step(kernel=factor, stride=factor, enlarges=True), _SAME)]
    return [*[_SAME] * (2 + blocks * _DENSE_BLOCKS * _CONVOLUTIONS), *up, _SAME, _SAME]
