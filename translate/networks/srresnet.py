"""SRResNet: a row of residual blocks at the small size, then pixel shuffles, Ledig et al. 2017, SRGAN.

https://arxiv.org/abs/1609.04802. As EDSR (Lim et al. 2017, https://arxiv.org/abs/1707.02921) showed and as BasicSR's
published `MSRResNet` has it, it is better without batch norm; that is the default here, layer for layer.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.choice import at_least
from translate.networks.enlargement import Base, EnlargedBase, enlarging_context_px, enlarging_factors
from translate.networks.norm import Norm, needs_bias, norm_layer, tiling_with
from translate.networks.receptive import Step

_SLOPE = 0.1
"""Of LeakyReLU outside the blocks, as published; inside them it is ReLU."""
_SAME = Step(kernel=3, padding=1)


class SRResNet(nn.Module):
    """N x `channels` x H x W to N x `channels` x `scale` H x `scale` W, both about [-1, 1]; any size.

    The published one has 16 `blocks` of `width` 64 and learns what the bilinear enlargement of its input lacks.
    `norm` acts inside the blocks (the first paper's is batch). One output pixel sees `context_px` input pixels to
    each side, where the norm takes no statistics of the whole picture.

    Raises:
        ConfigurationError: `scale` is not 1, 2, 3, 4, 8 ..., or there is no block.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 64,
        blocks: int = 16,
        scale: int = 4,
        norm: Norm = "none",
        base: Base = "bilinear",
    ) -> None:
        super().__init__()
        factors = enlarging_factors(scale)
        self.scale = scale
        self.size_rule = SizeRule()
        self.tiling: Tiling = tiling_with(norm)
        self.context_px = enlarging_context_px(_steps(at_least(1, blocks, "blocks"), factors), scale)
        self.first = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(_SLOPE))
        self.body = nn.Sequential(*(EnlargingBlock(channels=width, norm=norm) for _ in range(blocks)))
        self.up = nn.Sequential(*(layer for factor in factors for layer in _shuffled(width, factor)))
        self.last = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(_SLOPE), nn.Conv2d(width, channels, 3, padding=1)
        )
        self.base = EnlargedBase(base=base, scale=scale)

    def forward(self, picture: Tensor) -> Tensor:
        """The enlarged picture."""
        return self.base(picture, self.last(self.up(self.body(self.first(picture)))))


class EnlargingBlock(nn.Module):
    """x + f(x) on N x `channels` x H x W; f is two 3 x 3 convolutions with borders of 0 and a ReLU between them."""

    def __init__(self, *, channels: int, norm: Norm) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=needs_bias(norm)),
            norm_layer(norm, channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=needs_bias(norm)),
            norm_layer(norm, channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape; no activation after the sum."""
        return maps + self.residual(maps)


def _shuffled(width: int, factor: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(width, width * factor**2, 3, padding=1)
    yield nn.PixelShuffle(factor)
    yield nn.LeakyReLU(_SLOPE)


def _steps(blocks: int, factors: list[int]) -> list[Step]:
    up = [step for factor in factors for step in (_SAME, Step(kernel=factor, stride=factor, enlarges=True))]
    return [*[_SAME] * (1 + 2 * blocks), *up, _SAME, _SAME]
