"""The compact super-resolution network: everything at the small size, and one pixel shuffle at the end.

Shi et al. 2016, ESPCN, https://arxiv.org/abs/1609.05158 (the pixel shuffle); the plain row of convolutions with PReLU
and the enlarged input added at the end is what Real-ESRGAN runs on videos (Wang et al. 2021,
https://arxiv.org/abs/2107.10833, its published `SRVGGNetCompact`).
"""

from collections.abc import Iterator

from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.choice import at_least
from translate.networks.enlargement import Base, EnlargedBase
from translate.networks.prelu import PReLU


class Compact(nn.Module):
    """N x `channels` x H x W to N x `channels` x `scale` H x `scale` W, both about [-1, 1]; any size.

    `convolutions` of 3 x 3 lie between the first and the last one (the published sizes have 16 or 32, of width 64).
    It learns what the enlargement of its input by `base` lacks (published: nearest). There is no norm, so tiles are
    exact: one output pixel sees `context_px` input pixels to each side.
    """

    tiling: Tiling = "exact"

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 64,
        convolutions: int = 16,
        scale: int = 2,
        base: Base = "nearest",
    ) -> None:
        super().__init__()
        self.scale = at_least(1, scale, "--making.scale")
        self.size_rule = SizeRule()
        self.context_px = 2 + at_least(0, convolutions, "convolutions")
        self.body = nn.Sequential(*_body(channels, width, convolutions, scale))
        self.shuffle = nn.PixelShuffle(scale)
        self.base = EnlargedBase(base=base, scale=scale)

    def forward(self, picture: Tensor) -> Tensor:
        """The enlarged picture."""
        return self.base(picture, self.shuffle(self.body(picture)))


def _body(channels: int, width: int, convolutions: int, scale: int) -> Iterator[nn.Module]:
    for inputs in (channels, *[width] * convolutions):
        yield nn.Conv2d(inputs, width, 3, padding=1)
        yield PReLU(width)
    yield nn.Conv2d(width, channels * scale**2, 3, padding=1)
