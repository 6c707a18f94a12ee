"""A normal distribution fitted to the codes of an auto-encoder, which has none of its own to draw from."""

from typing import Final

import torch
from torch import Tensor, nn

_LEAST_SHARE: Final = 0.01
"""Of a batch in the running moments: they look back on about a hundred batches."""
_JITTER: Final = 1e-6
"""Added to the diagonal, as a share of the mean variance: directions in which codes never vary have a factor too."""


class NormalCodes(nn.Module):
    """N(mean, covariance) of N x `size` codes: running moments, as batch norm's, and the factor to draw with.

    Without parameters. The moments are plain means over all batches until there are a hundred, then running ones.
    """

    mean: Tensor
    covariance: Tensor
    factor: Tensor
    batches: Tensor

    def __init__(self, *, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("covariance", torch.eye(size))
        self.register_buffer("factor", torch.eye(size))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def forward(self, z: Tensor) -> Tensor:
        """Standard normal noise, N x size, to codes of the distribution."""
        return self.mean + z @ self.factor.T

    @torch.no_grad()
    def observe(self, codes: Tensor) -> None:
        """Take in the codes of a batch, N x size."""
        codes = codes.double()  # no autocast touches what is in float64
        self.batches += 1
        share = (1.0 / self.batches).clamp(min=_LEAST_SHARE).double()
        step = codes.mean(dim=0) - self.mean
        centred = codes - codes.mean(dim=0)
        # The variance of a mixture: what is within its parts, and what lies between their means.
        within = centred.T @ centred / len(codes)
        between = (1.0 - share) * torch.outer(step, step)
        covariance = (1.0 - share) * self.covariance + share * (within + between)
        self.mean.add_((share * step).float())
        self.covariance.copy_(covariance)
        self.factor.copy_(_factor(covariance))


def _factor(covariance: Tensor) -> Tensor:
    """L with L L^T = covariance, lower triangular."""
    floor = (_JITTER * covariance.diagonal().mean()).clamp(min=1e-12)
    return torch.linalg.cholesky_ex(covariance + torch.diag(floor.expand(len(covariance)))).L


class MeasuredEncoder(nn.Module):
    """An encoder that, in training, watches its codes; so that what it knows of them goes where its weights go."""

    def __init__(self, *, encoder: nn.Module, latent: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.codes = NormalCodes(size=latent)

    def forward(self, x: Tensor) -> Tensor:
        """N x *shape samples to N x latent codes."""
        codes = self.encoder(x)
        if self.training:
            self.codes.observe(codes)
        return codes


class FromCodes(nn.Module):
    """Standard normal noise to samples, through codes as a measured encoder's."""

    def __init__(self, *, codes: NormalCodes, decoder: nn.Module) -> None:
        super().__init__()
        self.codes, self.decoder = codes, decoder

    def forward(self, z: Tensor) -> Tensor:
        """N x latent to N x *shape."""
        return self.decoder(self.codes(z))
