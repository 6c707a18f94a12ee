"""PReLU whose gradient is fast on CPUs (He et al. 2015, https://arxiv.org/abs/1502.01852).

torch's CPU kernel for the gradient decides number by number, and a processor cannot guess the signs of maps: in bf16 it
took half of a compact network's training. Here the same numbers come from three operations without a decision.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class PReLU(nn.PReLU):
    """x where x > 0, else w x, with a slope w for each channel of N x C x H x W.

    Values are torch's own, and so is the gradient of the maps where slopes and maps are of one kind of numbers; that
    of the slopes is summed in float32. Where the gradient holds infinities they become NaN, which no step of the engine
    takes either.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Maps of the same shape, in the same order in memory."""
        if self._is_slow_in_torch(input):
            return _Sloped.apply(input, self.weight)
        return super().forward(input)

    def _is_slow_in_torch(self, maps: Tensor) -> bool:
        if torch.compiler.is_compiling() or torch.compiler.is_exporting() or not torch.is_grad_enabled():
            return False
        return maps.device.type == "cpu" and maps.dim() == 4 and maps.shape[1] == self.num_parameters


class _Sloped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, slopes: Tensor) -> Tensor:  # noqa: ANN401 - torch gives the context no type
        ctx.save_for_backward(maps, slopes)
        return functional.prelu(maps, slopes.to(maps.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401 - as above
        """With g = dL/dy: dL/dx is g where x > 0 and w g elsewhere; dL/dw is the sum of x g over x <= 0."""
        maps, slopes = ctx.saved_tensors
        (given,) = gradients
        if torch.is_grad_enabled():  # twice backwards: through torch's own graph
            return _through_torch((maps, slopes), ctx.needs_input_grad, given)
        above = torch.ops.aten.threshold_backward(given, maps, 0)
        below = given - above
        # `sum` with a dtype takes 4 times as long for the same bits
        steep = (below * maps).to(torch.promote_types(maps.dtype, torch.float32)).sum((0, 2, 3))
        shaped = slopes.to(maps.dtype).view(1, -1, 1, 1)
        return torch.addcmul(above, below, shaped), steep.to(slopes.dtype)


def _through_torch(inputs: tuple[Tensor, Tensor], wanted: tuple[bool, ...], given: Tensor) -> tuple[Tensor | None, ...]:
    """Gradients, which can be differentiated again, of the inputs that want one."""
    maps, slopes = inputs
    made = functional.prelu(maps, slopes.to(maps.dtype))
    asked = [tensor for tensor, wants in zip(inputs, wanted, strict=True) if wants]
    found = iter(torch.autograd.grad(made, asked, given, create_graph=True))
    return tuple(next(found) if wants else None for wants in wanted)
