"""Instance norm that leaves pictures in the order in which they lie (Ulyanov et al., arxiv.org/abs/1607.08022).

torch's own copies a batch that lies pixel by pixel (channels-last) to channel by channel and hands it on so, which
costs the convolutions before and after it a reordering each. Here such a batch stays as it is:

- one picture: batch norm in training mode is then the same function (the statistics of a channel are taken over the
  same numbers), and torch has kernels for it in either order, forwards, backwards and twice backwards;
- several: `_Normalised`, the formula with its gradient written out.

Under torch.compile the formula itself, which the compiler fuses; in an export torch's operator, which becomes ONNX's.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class InstanceNorm2d(nn.InstanceNorm2d):
    """(x - mean) / sqrt(variance + eps) over each channel of each picture of N x C x H x W; `affine` scales and shifts.

    Values are those of torch's instance norm, parameters have its names. Raises ValueError for maps of one pixel.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Maps of the same shape, in the same order in memory."""
        maps = input
        if torch.compiler.is_exporting() or not _lies_by_pixels(maps):
            return super().forward(maps)
        if maps.shape[0] == 1:
            return functional.batch_norm(maps, None, None, self.weight, self.bias, training=True, eps=self.eps)
        return self._scaled(_normalised(maps, self.eps))

    def _scaled(self, maps: Tensor) -> Tensor:
        if not self.affine:
            return maps
        # One multiplication with an addition, in the maps' own precision as batch norm gives them
        shape = (1, self.num_features, 1, 1)
        return torch.addcmul(self.bias.view(shape), maps, self.weight.view(shape)).to(maps.dtype)


def _lies_by_pixels(maps: Tensor) -> bool:
    return maps.dim() == 4 and not maps.is_contiguous() and maps.is_contiguous(memory_format=torch.channels_last)


def _normalised(maps: Tensor, eps: float) -> Tensor:
    if torch.compiler.is_compiling():
        return _formula(maps, eps)
    return _Normalised.apply(maps, eps)


def _formula(maps: Tensor, eps: float) -> Tensor:
    """In float32, since the squares of 65,536 numbers do not add up in fewer bits."""
    mean, scale = _statistics(maps.float(), eps)
    return ((maps.float() - mean) * scale).to(maps.dtype)


def _statistics(maps: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Mean and 1 / sqrt(variance + eps), N x C x 1 x 1."""
    mean = maps.mean((2, 3), keepdim=True)
    return mean, torch.rsqrt((maps - mean).square().mean((2, 3), keepdim=True) + eps)


class _Normalised(torch.autograd.Function):
    """`_formula` without its graph: half the passes over memory, and only the input and two numbers a channel kept."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, eps: float) -> Tensor:  # noqa: ANN401 - torch gives the context no type
        mean, scale = _statistics(maps.float(), eps)
        ctx.save_for_backward(maps, mean, scale)
        ctx.eps = eps
        return (maps.float() - mean).mul_(scale).to(maps.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - as above
        """Y = (x - m) s: dL/dx = s (g - mean(g) - y mean(g y)), g = dL/dy."""
        maps, mean, scale = ctx.saved_tensors
        (given,) = gradients
        if torch.is_grad_enabled():  # twice backwards (a gradient penalty): through the formula's own graph
            return torch.autograd.grad(_formula(maps, ctx.eps), maps, given, create_graph=True)[0], None
        normal, given = (maps.float() - mean).mul_(scale), given.float()
        along = (given * normal).mean((2, 3), keepdim=True)
        around = given.mean((2, 3), keepdim=True)
        return (given - around).sub_(normal.mul_(along)).mul_(scale).to(maps.dtype), None
