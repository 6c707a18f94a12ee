"""Log-likelihood under a Parzen window, by the protocol of Goodfellow et al. 2014 ("Generative Adversarial Nets").

A Gaussian is put on each of a model's samples; its width is chosen on validation pictures, and the mean log-likelihood
of test pictures is the figure. The protocol is that of the authors' `parzen_ll.py`: pixels in [0, 1], ten widths from
0.1 to 1, standard error over test pictures. The figure is known to mislead (Theis et al. 2016, "A note on the
evaluation of generative models"): the centroids of k-means, which are no model at all, score higher than real
pictures (measured on MNIST: 1000 centroids of 4000 digits 224 nats, the 4000 digits themselves 204). Report it beside
those of `translate.metrics.clusters.centroids` and of the training pictures, for the paper's sake.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from translate.errors import ConfigurationError

SIGMAS: tuple[float, ...] = tuple(float(sigma) for sigma in np.logspace(-1, 0, 10))
"""The widths that the authors try, in units of a pixel's range."""

SHARES_OF_SPREAD: tuple[float, ...] = tuple(float(share) for share in np.logspace(-3, 0, 16))
"""The widths to try for points, which may lie close around modes far apart: shares of the points' spread."""

_NUMBERS_AT_ONCE = 4_000_000
"""Distances held at a time: 32 MB, whatever the numbers of samples and pictures."""


@dataclass(frozen=True, kw_only=True)
class ParzenLikelihood:
    """The mean log-likelihood of test pictures in nats, its standard error over them, and what it rests on."""

    mean_nats: float
    standard_error_nats: float
    sigma: float
    samples: int
    validation: int
    test: int

    def __str__(self) -> str:
        return (
            f"{self.mean_nats:.1f} ± {self.standard_error_nats:.1f} nats (sigma {self.sigma:.3f}; {self.samples} "
            f"samples, {self.validation} validation and {self.test} test pictures)"
        )


def unit_pixels(pictures: Tensor) -> Tensor:
    """Pictures in [-1, 1], N x C x H x W, as vectors in [0, 1], N x D, which the protocol is about."""
    return (pictures.flatten(1).double().clamp(-1.0, 1.0) + 1) / 2


def parzen_likelihood(
    samples: Tensor, validation: Tensor, test: Tensor, *, sigmas: Sequence[float] = SIGMAS
) -> ParzenLikelihood:
    """The protocol of the paper: choose a width on `validation`, then score `test` with it.

    Args:
        samples: What a model made, N x D in [0, 1] (`unit_pixels`); the paper takes 10,000.
        validation: Real vectors, M x D in [0, 1]; the paper takes 1000.
        test: Other real vectors, K x D in [0, 1]; the paper takes 10,000.
        sigmas: The widths to choose from.

    Raises:
        ConfigurationError: A set is empty or no matrix, dimensions differ, or values lie outside [0, 1], where the
            figure and the widths would mean something else.
    """
    for name, vectors in {"samples": samples, "validation": validation, "test": test}.items():
        _require_matrix(name, vectors, samples.shape[-1])
        _require_unit_pixels(name, vectors)
    return _chosen_and_scored(samples, validation, test, sigmas)


def parzen_likelihood_of_points(samples: Tensor, validation: Tensor, test: Tensor) -> ParzenLikelihood:
    """The same protocol for points in units of their own; the widths are shares of the root of their mean variance.

    Nats depend on the unit: of points that are twice as large each number has log 2 less.

    Args:
        samples: What a model made, N x D.
        validation: Real points, M x D, of which not all are one.
        test: Other real points, K x D.

    Raises:
        ConfigurationError: A set is empty or no matrix, or dimensions differ.
    """
    for name, vectors in {"samples": samples, "validation": validation, "test": test}.items():
        _require_matrix(name, vectors, samples.shape[-1])
    spread = float(validation.double().var(dim=0, correction=0).mean().sqrt())
    return _chosen_and_scored(samples, validation, test, [share * spread for share in SHARES_OF_SPREAD])


def _chosen_and_scored(samples: Tensor, validation: Tensor, test: Tensor, sigmas: Sequence[float]) -> ParzenLikelihood:
    by_sigma = parzen_log_likelihoods(samples, validation, sigmas).mean(dim=1)
    sigma = sigmas[int(by_sigma.argmax())]
    scores = parzen_log_likelihoods(samples, test, [sigma])[0]
    return ParzenLikelihood(
        mean_nats=float(scores.mean()),
        standard_error_nats=float(scores.std(correction=0)) / math.sqrt(len(test)),
        sigma=sigma,
        samples=len(samples),
        validation=len(validation),
        test=len(test),
    )


@torch.no_grad()
def parzen_log_likelihoods(samples: Tensor, examples: Tensor, sigmas: Sequence[float]) -> Tensor:
    """The log of 1/N sum_i N(x; sample_i, sigma^2 I) in nats, for each sigma (rows) and example x (columns), float64.

    Args:
        samples: N x D, of any range.
        examples: M x D.
        sigmas: S widths. The distances, which cost most, are taken once for all of them.
    """
    samples, examples = samples.double(), examples.double()
    rows = max(1, _NUMBERS_AT_ONCE // len(samples))
    parts = [_log_likelihoods(samples, part, sigmas) for part in examples.split(rows)]
    return torch.cat(parts, dim=1)


def _log_likelihoods(samples: Tensor, examples: Tensor, sigmas: Sequence[float]) -> Tensor:
    squares = _squared_distances(examples, samples)
    count, dimensions = samples.shape
    window = [torch.logsumexp(squares / (-2 * sigma**2), dim=1) for sigma in sigmas]
    norms = [math.log(count) + dimensions * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in sigmas]
    return torch.stack([log_sum - norm for log_sum, norm in zip(window, norms, strict=True)])


def _squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """|a|^2 + |b|^2 - 2 a.b: one product of matrices; float64 leaves eight digits more than the figure shows."""
    squares = torch.addmm(second.square().sum(dim=1), first, second.T, alpha=-2)
    return squares.add_(first.square().sum(dim=1, keepdim=True)).clamp_(min=0)


def _require_matrix(name: str, vectors: Tensor, dimensions: int) -> None:
    if vectors.ndim != 2 or vectors.shape[1] != dimensions or len(vectors) == 0:
        raise ConfigurationError(
            f"The Parzen window needs matrices of one width, {name} is {tuple(vectors.shape)}: "
            "flatten pictures with unit_pixels, and give at least one"
        )


def _require_unit_pixels(name: str, vectors: Tensor) -> None:
    low, high = float(vectors.min()), float(vectors.max())
    if not (low >= 0 and high <= 1):
        raise ConfigurationError(
            f"The Parzen protocol is about pixels in [0, 1], {name} holds values from {low:.3g} to {high:.3g}: "
            "turn pictures in [-1, 1] into vectors with unit_pixels"
        )
