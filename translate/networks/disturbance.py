"""What disturbs a layer's inputs in training, and is nothing in evaluation: Gaussian noise and dropout."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from translate.networks.blocks import dropout_layer


class GaussianNoise(nn.Module):
    """x + N(0, `sigma`²) in training, x in evaluation; any shape. Salimans et al. 2016 take 0.3 and 0.5."""

    def __init__(self, *, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return x + self.sigma * torch.randn_like(x) if self.training else x


def disturbance(*, noise: float, dropout: float) -> nn.Module:
    """Noise of this sigma, then dropout of this probability; at 0 each is nothing and draws nothing."""
    noisy = GaussianNoise(sigma=noise) if noise > 0 else nn.Identity()
    return nn.Sequential(noisy, dropout_layer(dropout))


def disturbed(stages: Iterable[nn.Module], *, noise: float, dropout: float) -> Iterator[nn.Module]:
    """The stages, with a disturbance before each but the first."""
    for place, stage in enumerate(stages):
        if place:
            yield disturbance(noise=noise, dropout=dropout)
        yield stage
