"""Halving and doubling the size of feature maps: as the papers do, anti-aliased, or by nearest neighbour.

A network says which piece each of its names stands for. `strided` and `transposed` are the papers'. `blurred`
computes at full size and then blurs and drops every other pixel, so that a picture that moves by one pixel changes
the result little: Zhang, https://arxiv.org/abs/1904.11486, as used in https://arxiv.org/abs/2007.15651. `smooth`
and `nearest` enlarge first and convolve then, which leaves no checkerboard (https://distill.pub/2016/deconv-checkerboard).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate.networks.autocasting import as_given
from translate.networks.few_pixels import FewPixelsConv2d, FewPixelsConvTranspose2d
from translate.networks.receptive import Step

Downsampling = Literal["paper", "blur"]
Resampling = Literal["paper", "blur", "nearest"]
"""`nearest` enlarges by nearest neighbour and halves as the paper does."""


class Blur(nn.Module):
    """Halve N x C x H x W by a binomial filter of `taps` taps ([1 2 1] or [1 3 3 1]) and a stride of 2.

    H and W are at least 2; borders are reflected, so that a constant picture stays constant. Three taps put output
    i on input 2 i, as a strided convolution of three does; four put it between 2 i and 2 i + 1, which is where
    `smooth` expects it.
    """

    def __init__(self, *, channels: int, taps: Literal[3, 4]) -> None:
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0] if taps == 3 else [1.0, 3.0, 3.0, 1.0])
        line = line / line.sum()
        self.channels = channels
        self.register_buffer("kernel", torch.outer(line, line).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of half the size (rounded up for three taps, down for four)."""
        with as_given(maps):
            padded = functional.pad(maps, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, cast(Tensor, self.kernel), stride=2, groups=self.channels)


@dataclass(frozen=True, kw_only=True)
class Halving:
    """A convolution that halves together with what follows its norm and activation."""

    kernel: int
    stride: int = 2
    blur_taps: Literal[3, 4] | None = None

    def convolution(self, inputs: int, outputs: int, *, bias: bool) -> nn.Conv2d:
        """The convolution, from `inputs` to `outputs` channels."""
        return FewPixelsConv2d(inputs, outputs, self.kernel, stride=self.stride, padding=1, bias=bias)

    def after_activation(self, channels: int) -> nn.Module:
        """What comes after the activation: the blur, or nothing."""
        return nn.Identity() if self.blur_taps is None else Blur(channels=channels, taps=self.blur_taps)

    @property
    def steps(self) -> tuple[Step, ...]:
        """For the receptive field."""
        convolution = Step(kernel=self.kernel, stride=self.stride, padding=1)
        if self.blur_taps is None:
            return (convolution,)
        return (convolution, Step(kernel=self.blur_taps, stride=2, padding=1))


@dataclass(frozen=True, kw_only=True)
class Doubling:
    """A convolution that doubles: `build(inputs, outputs, bias)`."""

    build: Callable[[int, int, bool], nn.Module]
    steps: tuple[Step, ...]


def strided(*, kernel: int) -> Halving:
    """A convolution of stride 2."""
    return Halving(kernel=kernel)


def blurred(*, kernel: int, taps: Literal[3, 4]) -> Halving:
    """A convolution of stride 1, its norm and activation, and a blur of stride 2."""
    return Halving(kernel=kernel, stride=1, blur_taps=taps)


def transposed(*, kernel: int) -> Doubling:
    """A transposed convolution of stride 2; `kernel` is 3 or 4."""

    def build(inputs: int, outputs: int, bias: bool) -> nn.Module:
        if kernel % 2 == 0:
            return FewPixelsConvTranspose2d(inputs, outputs, kernel, stride=2, padding=1, bias=bias)
        # An odd kernel would give 2 H - 1 without the extra row and column.
        return nn.ConvTranspose2d(inputs, outputs, kernel, 2, padding=1, output_padding=1, bias=bias)

    return Doubling(build=build, steps=(Step(kernel=kernel, stride=2, padding=1, enlarges=True),))


def smooth() -> Doubling:
    """[1 3 3 1] enlargement with replicated borders, which is bilinear interpolation, then a 3 x 3 convolution."""
    step = Step(kernel=4, stride=2, padding=1, enlarges=True)
    return _enlarged(lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), step)


def nearest() -> Doubling:
    """Each pixel repeated 2 x 2, then a 3 x 3 convolution."""
    step = Step(kernel=2, stride=2, enlarges=True)
    return _enlarged(lambda: nn.Upsample(scale_factor=2, mode="nearest"), step)


def _enlarged(enlargement: Callable[[], nn.Module], step: Step) -> Doubling:
    def build(inputs: int, outputs: int, bias: bool) -> nn.Module:
        return nn.Sequential(enlargement(), nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias))

    return Doubling(build=build, steps=(step, Step(kernel=3, padding=1)))
