"""The published networks, with their first weights from N(0, 0.02).

U-Net-256 and the 70 x 70 PatchGAN: Isola et al. 2017, https://arxiv.org/abs/1611.07004, section 6.1. ResNet-9: Zhu et
al. 2017, https://arxiv.org/abs/1703.10593, section 7.2. The compact enlarger: Shi et al. 2016,
https://arxiv.org/abs/1609.05158, with PReLU and the enlarged input added at the end.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

Norm = Callable[[int], nn.Module]


class UNet(nn.Module):
    """Halves `depth` times and doubles as often; each level of the decoder sees the encoder's maps too.

    N x `inputs` x H x W to N x `outputs` x H x W; depth 8 at 256 px, where the innermost map is one pixel.
    """

    def __init__(
        self, *, inputs: int = 3, outputs: int = 3, width: int = 64, depth: int = 8, dropout: float = 0.5
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(depth)]
        self.first = nn.Conv2d(inputs, width, 4, 2, 1, bias=False)
        self.down = nn.ModuleList(
            down(outer, inner, normed=inner_level < depth - 1)
            for inner_level, (outer, inner) in enumerate(pairwise(widths), start=1)
        )
        self.up = nn.ModuleList(
            up(
                widths[level] * (1 if level == depth - 1 else 2),
                widths[level - 1],
                dropout=dropout if 4 <= level < depth - 1 else 0.0,
            )
            for level in range(depth - 1, 0, -1)
        )
        self.last = nn.ConvTranspose2d(2 * width, outputs, 4, 2, 1)

    def forward(self, picture: Tensor) -> Tensor:
        maps = [self.first(picture)]
        for stage in self.down:
            maps.append(stage(maps[-1]))
        made = self.up[0](maps.pop())
        for stage in self.up[1:]:
            made = stage(torch.cat([maps.pop(), made], dim=1))
        return torch.tanh(self.last(functional.relu(torch.cat([maps.pop(), made], dim=1))))


def down(inputs: int, outputs: int, *, normed: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.LeakyReLU(0.2), nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, *([nn.BatchNorm2d(outputs)] if normed else []))


def up(inputs: int, outputs: int, *, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, nn.BatchNorm2d(outputs), *([nn.Dropout(dropout)] if dropout else []))


class ResNet(nn.Module):
    """A 7 x 7 convolution, two that halve, `blocks` residual blocks, two that double, a 7 x 7 convolution."""

    def __init__(self, *, inputs: int = 3, outputs: int = 3, width: int = 64, blocks: int = 9) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3),
            *normed(nn.Conv2d(inputs, width, 7), width),
            *normed(nn.Conv2d(width, 2 * width, 3, 2, 1), 2 * width),
            *normed(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), 4 * width),
            *(ResidualBlock(4 * width) for _ in range(blocks)),
            *normed(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, output_padding=1), 2 * width),
            *normed(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1), width),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, outputs, 7),
            nn.Tanh(),
        )

    def forward(self, picture: Tensor) -> Tensor:
        return self.layers(picture)


def normed(convolution: nn.Module, channels: int) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(channels), nn.ReLU(inplace=True)]


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            *normed(nn.Conv2d(channels, channels, 3), channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps)


class PatchGAN(nn.Module):
    """One score for each patch of 70 x 70 px, without a sigmoid: N x `inputs` x H x W to N x 1 x H/8 - 2 x W/8 - 2."""

    def __init__(self, *, inputs: int, width: int = 64, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        with_bias = norm is not nn.BatchNorm2d
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for outer, inner, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
            layers += [nn.Conv2d(outer * width, inner * width, 4, stride, 1, bias=with_bias), norm(inner * width)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))

    def forward(self, picture: Tensor) -> Tensor:
        return self.layers(picture)


class CompactEnlarger(nn.Module):
    """A row of convolutions at the small size and one pixel shuffle; the input, enlarged plainly, is added."""

    def __init__(self, *, width: int = 32, convolutions: int = 8, scale: int = 2) -> None:
        super().__init__()
        self.scale = scale
        inner = [layer for _ in range(convolutions) for layer in (nn.Conv2d(width, width, 3, 1, 1), nn.PReLU(width))]
        first, last = nn.Conv2d(3, width, 3, 1, 1), nn.Conv2d(width, 3 * scale**2, 3, 1, 1)
        self.layers = nn.Sequential(first, nn.PReLU(width), *inner, last, nn.PixelShuffle(scale))

    def forward(self, picture: Tensor) -> Tensor:
        plain = functional.interpolate(picture, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return plain + self.layers(picture)


def draw_first_weights(network: nn.Module) -> None:
    """Convolutions from N(0, 0.02), batch norms' scales from N(1, 0.02), biases 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)
