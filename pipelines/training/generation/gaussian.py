"""The trivial generator: a normal distribution fitted to the training samples' numbers. Every model should beat it."""

from collections.abc import Sequence
from math import prod
from typing import Final

import torch
from torch import Tensor

LABEL: Final = "normal distribution of the numbers"
_MOST_COMPONENTS = 200
_MOST_SAMPLES = 3000
_MOST_NUMBERS = _MOST_SAMPLES * 3 * 64 * 64
_DRAWN_AT_ONCE = 64


def most_fitted(shape: Sequence[int]) -> int:
    """Samples of a shape that the fit looks at: 3000, and of those above 64 px fewer."""
    return min(_MOST_SAMPLES, max(_MOST_COMPONENTS, _MOST_NUMBERS // prod(shape)))


class FittedGaussian:
    """Draws from N(mean, covariance) of N x *shape samples, along their first principal components."""

    def __init__(self, samples: Tensor) -> None:
        flat = samples[: most_fitted(samples.shape[1:])].flatten(1).double().cpu()
        self._shape = samples.shape[1:]
        self._mean = flat.mean(dim=0)
        with torch.random.fork_rng(devices=[]):  # the search for the components starts from random directions
            torch.default_generator.manual_seed(0)  # torch.manual_seed reseeds GPUs too, which nothing puts back
            _, sizes, directions = torch.svd_lowrank(flat - self._mean, q=min(_MOST_COMPONENTS, *flat.shape))
        self._scaled = directions.T * (sizes / max(1, len(flat) - 1) ** 0.5)[:, None]

    def draw(self, count: int, *, seed: int) -> Tensor:
        """N x *shape float32."""
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(count, len(self._scaled), generator=generator, dtype=torch.float64)
        drawn = [(self._mean + part @ self._scaled).float() for part in noise.split(_DRAWN_AT_ONCE)]
        return torch.cat(drawn).reshape(count, *self._shape)
