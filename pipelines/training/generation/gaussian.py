"""The trivial generator: a normal distribution fitted to the training samples' numbers. Every model should beat it."""

from typing import Final

import torch
from torch import Tensor

LABEL: Final = "normal distribution of the numbers"
_MOST_COMPONENTS = 200
_MOST_SAMPLES = 3000


class FittedGaussian:
    """Draws from N(mean, covariance) of N x *shape samples, along their first principal components."""

    def __init__(self, samples: Tensor) -> None:
        flat = samples[:_MOST_SAMPLES].flatten(1).double().cpu()
        self._shape = samples.shape[1:]
        self._mean = flat.mean(dim=0)
        with torch.random.fork_rng(devices=[]):  # the search for the components starts from random directions
            torch.manual_seed(0)
            _, sizes, directions = torch.svd_lowrank(flat - self._mean, q=min(_MOST_COMPONENTS, *flat.shape))
        self._scaled = directions.T * (sizes / max(1, len(flat) - 1) ** 0.5)[:, None]

    def draw(self, count: int, *, seed: int) -> Tensor:
        """N x *shape float32."""
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(count, len(self._scaled), generator=generator, dtype=torch.float64)
        return (self._mean + noise @ self._scaled).float().reshape(count, *self._shape)
