"""Where autocast is not to choose the precision."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn


def as_given(maps: Tensor) -> AbstractContextManager[object]:
    """Within, operations compute in the precision of what they are given. Nothing where autocast is off already."""
    kind = maps.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


class ReflectionPad2d(nn.ReflectionPad2d):
    """Borders that mirror N x C x H x W, in the maps' own precision.

    Autocast on a CPU makes float32 of them first, though they are only moved: a copy before, one after, and twice the
    memory for what waits for the backward pass.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """N x C x (H + 2 p) x (W + 2 p)."""
        with as_given(input):
            return super().forward(input)
