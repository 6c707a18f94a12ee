"""What forward passes in training mode change in networks: running statistics, the vectors of spectral norm."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def copied(networks: Iterable[nn.Module]) -> list[Tensor]:
    """The networks' buffers as they are now."""
    return [buffer.clone() for buffer in _buffers(networks)]


def put_back(networks: Iterable[nn.Module], copies: Sequence[Tensor], when: Tensor) -> None:
    """Where the flag `when` (0-dimensional) is set, undo what passes since `copied` did to the same networks' buffers.

    Backward passes are still to come through what those passes made, and they do not read running statistics;
    `.data` keeps autograd from taking this for a change that they would have to refuse.
    """
    for buffer, copy in zip(_buffers(networks), copies, strict=True):
        buffer.data.copy_(torch.where(when, copy, buffer.data))


def _buffers(networks: Iterable[nn.Module]) -> list[Tensor]:
    return [buffer for network in networks for buffer in network.buffers()]
