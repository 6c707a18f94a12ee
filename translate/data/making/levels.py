"""Numbers on the 256 levels of files."""

import torch
from torch import Tensor


def on_levels(pictures: Tensor) -> Tensor:
    """Numbers about [-1, 1] as a file of 8 bits would hold them: clamped, and rounded as pixels are."""
    half_range = torch.full((), 127.5, device=pictures.device)
    return ((pictures + 1.0) * half_range).round().clamp(0.0, 255.0) / half_range - 1.0
