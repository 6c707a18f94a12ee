"""AdamW whose fused step walks channels-last weights as they lie.

torch's fused CPU kernel (seen in 2.15) copies such a weight into plain order at every step, which takes longer than the
step itself: 45 of the 300 ms of an iteration of pix2pix at batch 1. Seen as N x H x W x C the same memory is plain.
"""

from typing import Any

import torch
from torch import Tensor


class DenseAdamW(torch.optim.AdamW):
    """torch's AdamW, with its states by its names; the numbers are the same bit for bit."""

    def _init_group(
        self,
        group: dict[str, Any],
        params_with_grad: list[Tensor],
        grads: list[Tensor],
        exp_avgs: list[Tensor],
        exp_avg_sqs: list[Tensor],
        max_exp_avg_sqs: list[Tensor],
        state_steps: list[Tensor],
    ) -> bool:
        """Fill torch's lists, the same places for one parameter; those of one parameter's shape become views."""
        shaped = (params_with_grad, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)
        has_complex = super()._init_group(group, *shaped, state_steps)
        for tensors in shaped:
            tensors[:] = [_as_it_lies(tensor) for tensor in tensors]
        return has_complex


def _as_it_lies(tensor: Tensor) -> Tensor:
    """A plain view of a channels-last tensor; any other tensor itself."""
    if tensor.dim() != 4 or tensor.is_contiguous():
        return tensor
    return tensor.permute(0, 2, 3, 1) if tensor.is_contiguous(memory_format=torch.channels_last) else tensor
