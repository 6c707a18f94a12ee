"""The noise that generators start from."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from translate.card import Latent
from translate.errors import require


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Independent random numbers for every sample."""

    size: int = 100
    """How many numbers a sample."""
    distribution: Literal["normal", "uniform"] = "normal"
    """Standard normal, or uniform in [-1, 1]."""

    def __post_init__(self) -> None:
        """Refuse noise without numbers."""
        require(self.size >= 1, "config.noise.size", self.size, "at least 1")

    def draw(self, count: int, device: torch.device) -> Tensor:
        """N x size, from torch's global generator of the device."""
        if self.distribution == "uniform":
            return torch.rand(count, self.size, device=device) * 2.0 - 1.0
        return torch.randn(count, self.size, device=device)

    def port(self, name: str = "z") -> Latent:
        """As users give it."""
        return Latent(name=name, size=self.size, distribution=self.distribution)
