"""What the host holds, put on a device without waiting for all that the device has still to do."""

from collections.abc import Sequence

import torch
from torch import Tensor


def placed(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device; itself where it lies there already.

    To a GPU, `to(device)` alone copies when all that was asked of it before is done, and lets the host wait for that.
    Out of page-locked memory a copy takes its turn, and torch gives that memory to nobody else until then.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def numbers(
    values: Sequence[float] | Sequence[Sequence[float]], device: torch.device, dtype: torch.dtype | None = None
) -> Tensor:
    """A few numbers on a device: what `torch.tensor(values, device=...)` gives, but that waits as `to` does."""
    return placed(torch.tensor(values, dtype=dtype), device)
