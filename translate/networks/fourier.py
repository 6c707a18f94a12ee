"""The real Fourier transform of maps, and back, as products with matrices of cosines and sines.

The same numbers as `torch.fft.rfft2` and `irfft2` with norm "ortho", but made of operators that every runtime has and
computes alike: ONNX Runtime's own DFT drifts at sizes that are no powers of two (4e-4 at 1021 x 767). For n x n maps a
transform costs about 3 n³ multiplications a channel, little at an eighth of a picture's size, where it is used.
"""

from dataclasses import dataclass
from math import pi
from typing import Self

import torch
from torch import Tensor

from translate.networks.autocasting import as_given


@dataclass(frozen=True, kw_only=True)
class FourierPlane:
    """What the transforms of N x C x H x W maps are multiplied with, for one H and W.

    With F = W // 2 + 1 frequencies along the rows, since those of real maps mirror one another.
    """

    width: int
    """W."""
    down: tuple[Tensor, Tensor]
    """Cosines and sines along columns, H x H each; symmetric."""
    along: tuple[Tensor, Tensor]
    """Cosines and sines along rows, W x F each."""
    mirrored: Tensor
    """F: how many frequencies each one stands for, 2; but 1 for frequency 0, and for W / 2 where W is even."""

    @classmethod
    def of(cls, maps: Tensor) -> Self:
        """For maps of this size and device, in float32 (or in float64 for such maps)."""
        height, width = maps.shape[-2:]
        frequencies = torch.arange(width // 2 + 1, device=maps.device)
        dtype = torch.promote_types(maps.dtype, torch.float32)
        return cls(
            width=width,
            down=_waves(height, torch.arange(height, device=maps.device), dtype),
            along=_waves(width, frequencies, dtype),
            mirrored=torch.where(2 * frequencies % _as_tensor(width, frequencies) == 0, 1.0, 2.0).to(dtype),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """N x C x H x W maps to N x 2 C x H x F numbers: the real parts of all channels, then the imaginary ones."""
        cosines, sines = self.down
        with as_given(maps):  # bfloat16 would leave three digits of sums over a whole map
            exact = maps.to(cosines.dtype)
            real, minus = exact @ self.along[0], exact @ self.along[1]
            parts = cosines @ real - sines @ minus, -(cosines @ minus + sines @ real)
            return torch.cat(parts, dim=1).to(maps.dtype)

    def inverse(self, numbers: Tensor) -> Tensor:
        """N x 2 C x H x F numbers, as `forward` orders them, to N x C x H x W maps.

        Imaginary parts that no real map has (of frequency 0 and W / 2) count for nothing, as in `irfft2`.
        """
        cosines, sines = self.down
        with as_given(numbers):
            real, imaginary = (numbers.to(cosines.dtype) * self.mirrored).chunk(2, dim=1)
            rows = cosines @ real - sines @ imaginary, cosines @ imaginary + sines @ real
            maps = rows[0] @ self.along[0].T - rows[1] @ self.along[1].T
            return maps.to(numbers.dtype)


def _waves(length: int, frequencies: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines of 2 pi n k / `length`, over sqrt(`length`); n is the row, k the column.

    Whole turns are taken away from n k while it is an integer: an angle of many turns has no digits left.
    """
    turn = _as_tensor(length, frequencies)
    steps = torch.outer(torch.arange(length, device=frequencies.device), frequencies) % turn
    steps = torch.where(2 * steps > turn, steps - turn, steps)
    period = turn.to(dtype)
    angles = steps.to(dtype) / period * (2.0 * pi)
    return angles.cos() / period.sqrt(), angles.sin() / period.sqrt()


def _as_tensor(length: int, like: Tensor) -> Tensor:
    """A length that may be a symbol: the exporter to ONNX divides by tensors only."""
    return torch.full((1,), length, dtype=torch.int64, device=like.device)
