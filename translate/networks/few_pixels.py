"""Convolutions of many weights and few pixels, as products of matrices.

After Chellapilla, Puri and Simard 2006, https://inria.hal.science/inria-00112631. In the middle of a U-Net a batch of 1
has 1 to 64 pixels against millions of weights. A CPU's convolution then reorders all weights, forwards and backwards,
for work that is done in no time. Here each pixel's window becomes a row, and the weights of a channels-last network
are, as they lie, the matrix that it is multiplied with: nothing large is copied.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_CHANNELS_A_ROW: Final[Mapping[torch.dtype, int]] = {torch.bfloat16: 4, torch.float32: 16}
"""The product is the faster one from so many input channels for each row, measured on a CPU with AVX-512 and bf16."""


class FewPixelsConv2d(nn.Conv2d):
    """torch's convolution of a square kernel, with zeros around the maps: the same values to rounding, and names."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int, padding: int, bias: bool) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding, bias=bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """N x inputs x H x W to N x outputs x (H + 2 padding - kernel) / stride + 1, rounded down, and W likewise."""
        reach = 2 * int(self.padding[0]) - self.kernel_size[0]
        height, width = (max(0, (side + reach) // self.stride[0] + 1) for side in input.shape[2:])
        if not _pays(input, self.weight, height * width):
            return super().forward(input)
        padded = functional.pad(input, 2 * _both(int(self.padding[0])))
        windows = padded.unfold(2, self.kernel_size[0], self.stride[0]).unfold(3, self.kernel_size[0], self.stride[0])
        rows = windows.permute(0, 2, 3, 4, 5, 1).reshape(input.shape[0] * height * width, -1)
        made = _biased(rows @ _matrix(self.weight).t(), self.bias)
        return made.view(input.shape[0], height, width, self.out_channels).permute(0, 3, 1, 2)


class FewPixelsConvTranspose2d(nn.ConvTranspose2d):
    """torch's transposed convolution of a square kernel that its stride divides; the same values to rounding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int, padding: int, bias: bool) -> None:
        if kernel % stride:
            raise ValueError(f"A stride of {stride} does not divide a kernel of {kernel}: take torch's own")
        super().__init__(inputs, outputs, kernel, stride, padding, bias=bias)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: A002 - torch's name
        """N x inputs x H x W to N x outputs x (H - 1) stride - 2 padding + kernel, and W likewise."""
        if output_size is not None or not _pays(input, self.weight, input.shape[2] * input.shape[3]):
            return super().forward(input, output_size)
        rows = input.permute(0, 2, 3, 1).reshape(-1, self.in_channels)
        stamps = (rows @ _matrix(self.weight)).view(*_placed(input), *self.kernel_size, self.out_channels)
        inside = int(self.padding[0])
        made = _summed(stamps, self.stride[0])
        made = made[:, inside : made.shape[1] - inside, inside : made.shape[2] - inside]
        return _biased(made, self.bias).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _pays(maps: Tensor, weight: Tensor, pixels: int) -> bool:
    if torch.compiler.is_exporting() or torch.compiler.is_compiling() or maps.device.type != "cpu" or maps.dim() != 4:
        return False
    rows, last = maps.shape[0] * pixels, torch.channels_last
    few = 0 < rows * _CHANNELS_A_ROW.get(maps.dtype, maps.numel()) <= maps.shape[1]
    return few and weight.is_contiguous(memory_format=last)


def _both(padding: int) -> tuple[int, int]:
    return padding, padding


def _placed(maps: Tensor) -> tuple[int, int, int]:
    return maps.shape[0], maps.shape[2], maps.shape[3]


def _matrix(weight: Tensor) -> Tensor:
    """A x B x k x k that lies as A x k x k x B: rows of k k B numbers, a view."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


def _summed(stamps: Tensor, stride: int) -> Tensor:
    """N x H x W x k x k x C, what each pixel adds around itself, to N x (H - 1) stride + k x (W - 1) stride + k x C.

    A kernel of m strides is m x m tiles of stride x stride pixels; tiles of one place in it never overlap.
    """
    batch, height, width, kernel, _, channels = stamps.shape
    most = kernel // stride
    tiles = stamps.view(batch, height, width, most, stride, most, stride, channels)
    made = stamps.new_zeros(batch, height + most - 1, stride, width + most - 1, stride, channels)
    for down in range(most):
        for right in range(most):
            tile = tiles[:, :, :, down, :, right].permute(0, 1, 3, 2, 4, 5)
            made[:, down : down + height, :, right : right + width] += tile
    return made.view(batch, (height + most - 1) * stride, (width + most - 1) * stride, channels)


def _biased(made: Tensor, bias: Tensor | None) -> Tensor:
    return made if bias is None else made + bias.to(made.dtype)
