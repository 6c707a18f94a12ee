"""What a discriminator says of a batch, and the precision in which losses are computed."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Scores = Tensor | Sequence[Tensor]
"""Raw scores (no sigmoid): one tensor of any shape, or one for each scale of a multi-scale discriminator."""

Discriminator = Callable[[Tensor], Scores]
"""Scores of N pictures, with N in the first dimension; bind a condition with a lambda."""


def scales(scores: Scores) -> list[Tensor]:
    """One tensor a scale, in float32 or better."""
    return [at_least_float32(tensor) for tensor in ([scores] if isinstance(scores, Tensor) else scores)]


def at_least_float32(tensor: Tensor) -> Tensor:
    """Halves become float32, so that a mean over many scores keeps its digits; float64 passes unchanged."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def mean_over_scales(losses: Sequence[Tensor]) -> Tensor:
    """The mean of one scalar loss a scale: every scale weighs the same, however many scores it has."""
    return torch.stack(list(losses)).mean()


def full_precision(device: torch.device) -> torch.autocast:
    """A context in which autocast is off: what is computed from float32 stays in float32."""
    return torch.autocast(device.type, enabled=False)
