"""LaMa's generator: a residual network whose blocks are fast Fourier convolutions, so that each sees the whole picture.

Suvorov et al. 2022, "Resolution-robust Large Mask Inpainting with Fourier Convolutions",
https://arxiv.org/abs/2109.07161; the published one has `width` 64, 3 halvings and 9 blocks (27 M weights).
"""

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.autocasting import ReflectionPad2d
from translate.networks.choice import at_least, choose
from translate.networks.fourier_convolution import FastFourierConvolution
from translate.networks.norm import Norm, needs_bias, norm_layer, tiling_with
from translate.networks.receptive import Step, sight
from translate.networks.resample import Doubling, nearest, smooth, transposed

Upsampling = Literal["transposed", "bilinear", "nearest"]

_DOUBLINGS: dict[str, Doubling] = {"transposed": transposed(kernel=3), "bilinear": smooth(), "nearest": nearest()}
_END = Step(kernel=7, padding=3)
_SAME = Step(kernel=3, padding=1)
_HALVED = Step(kernel=3, padding=1, stride=2)


class FourierInpainter(nn.Module):
    """N x `inputs` x H x W to N x `outputs` x H x W in [-1, 1]; H and W are multiples of 2 ** `down`, twice it or more.

    The inputs are the picture, 0 in its holes, and the mask. `fourier` false puts one plain 3 x 3 convolution in the
    place of each fast Fourier convolution, for comparison: it then sees `context_px` to each side (else: None, all).

    Batch norm is the papers'; with its running statistics it is a fixed scale and shift, nothing that depends on the
    picture, and a runtime folds it into the convolution before it.

    Raises:
        ConfigurationError: no halving, no block, or a `global_ratio` that leaves no channels.
    """

    def __init__(
        self,
        *,
        inputs: int = 4,
        outputs: int = 3,
        width: int = 64,
        down: int = 3,
        blocks: int = 9,
        global_ratio: float = 0.75,
        norm: Norm = "batch",
        upsampling: Upsampling = "transposed",
        fourier: bool = True,
    ) -> None:
        super().__init__()
        doubling = choose(_DOUBLINGS, upsampling, "--config.generator.upsampling")
        inner = width * 2 ** at_least(1, down, "--config.generator.down")
        at_least(1, blocks, "--config.generator.blocks")
        self.size_rule = SizeRule(multiple_of_px=2**down, at_least_px=2 ** (down + 1))
        self.tiling: Tiling = "forbidden" if fourier else tiling_with(norm)
        reach = sight(_steps(doubling, down, blocks), period=2**down).context_px
        self.context_px: int | None = None if fourier else reach
        self.head = nn.Sequential(*_head(inputs, width, norm))
        self.down = nn.Sequential(*_encoder(width, down, norm))
        self.blocks = nn.Sequential(
            *(
                FourierBlock(channels=inner, global_ratio=global_ratio, norm=norm, fourier=fourier)
                for _ in range(blocks)
            )
        )
        self.up = nn.Sequential(*_decoder(doubling, width, down, norm))
        self.tail = nn.Sequential(ReflectionPad2d(3), nn.Conv2d(width, outputs, 7), nn.Tanh())

    def forward(self, picture: Tensor) -> Tensor:
        """The whole picture, made anew; known pixels are put back by who calls."""
        return self.tail(self.up(self.blocks(self.down(self.head(picture)))))


class FourierBlock(nn.Module):
    """x + f(x) on N x `channels` x H x W, H and W at least 2; f is twice: convolution, norm, ReLU."""

    def __init__(self, *, channels: int, global_ratio: float, norm: Norm, fourier: bool) -> None:
        super().__init__()

        def convolution() -> nn.Module:
            if fourier:
                return FastFourierConvolution(channels=channels, global_ratio=global_ratio, norm=norm)
            return _reflected(channels, channels, norm=norm)

        self.residual = nn.Sequential(
            *(layer for _ in range(2) for layer in (convolution(), norm_layer(norm, channels), nn.ReLU()))
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape; no activation after the sum."""
        return maps + self.residual(maps)


def _reflected(inputs: int, outputs: int, *, norm: Norm, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, padding_mode="reflect", bias=needs_bias(norm))


def _head(inputs: int, width: int, norm: Norm) -> Iterator[nn.Module]:
    yield ReflectionPad2d(3)
    yield nn.Conv2d(inputs, width, 7, bias=needs_bias(norm))
    yield norm_layer(norm, width)
    yield nn.ReLU()


def _encoder(width: int, down: int, norm: Norm) -> Iterator[nn.Module]:
    for channels in (width * 2**level for level in range(down)):
        yield nn.Sequential(
            _reflected(channels, 2 * channels, stride=2, norm=norm), norm_layer(norm, 2 * channels), nn.ReLU()
        )


def _decoder(doubling: Doubling, width: int, down: int, norm: Norm) -> Iterator[nn.Module]:
    for channels in (width * 2**level for level in range(down, 0, -1)):
        layer = doubling.build(channels, channels // 2, needs_bias(norm))
        yield nn.Sequential(layer, norm_layer(norm, channels // 2), nn.ReLU())


def _steps(doubling: Doubling, down: int, blocks: int) -> list[Step]:
    return [_END, *[_HALVED] * down, *[_SAME] * (2 * blocks), *doubling.steps * down, _END]
