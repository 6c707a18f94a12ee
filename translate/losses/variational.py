"""Variational auto-encoders: the evidence lower bound and its parts, in nats.

q(z|x) is a Gaussian with a mean and a log variance for each latent dimension; the prior is N(0, 1). A log-likelihood is
a sum over all elements of a sample, never their mean: only then do it and the KL add up to a bound. A method minimises
minus the bound; it may divide all of it by the number of elements, for numbers that do not grow with the picture.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from translate.losses.scores import at_least_float32

_LOG_2_PI = math.log(2.0 * math.pi)


def drawn_from(mean: Tensor, log_variance: Tensor, *, noise: Tensor | None = None) -> Tensor:
    """A draw z = mean + std eps, through which gradients flow (Kingma and Welling 2014, section 2.4).

    Args:
        mean: N x D (for k draws of each: k x N x D, expanded).
        log_variance: the same shape.
        noise: standard normal numbers of that shape; drawn if left out.
    """
    noise = torch.randn_like(mean) if noise is None else noise
    return mean + (0.5 * log_variance).exp() * noise


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q || N(0, 1)) of each dimension: (mean^2 + var - 1 - log var) / 2 (Kingma and Welling 2014, appendix B).

    Args:
        mean: N x D.
        log_variance: N x D.

    Returns:
        N x D; the sum over D is a sample's KL.
    """
    mean, log_variance = at_least_float32(mean), at_least_float32(log_variance)
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def free_bits(kl: Tensor, *, least: float) -> Tensor:
    """sum_j max(least, E KL_j): the first nats of a dimension cost nothing (Kingma et al. 2016, appendix C.8).

    Args:
        kl: N x D, from `gaussian_kl`.
        least: nats a dimension (the paper counts groups of dimensions); 0 is the plain KL.
    """
    return kl.mean(dim=0).clamp(min=least).sum()


def bernoulli_log_likelihood(logits: Tensor, pictures: Tensor) -> Tensor:
    """The log p(x|z) with p = sigmoid(logits), for pictures that are nearly black and white.

    Grey values count as shares of black and white, as usual; that is no likelihood of grey values, and so not to be
    compared with one. The mean picture in [-1, 1] is tanh(logits / 2).

    Args:
        logits: the decoder's raw output, N x C x H x W (k x N x C x H x W for k draws of each).
        pictures: N x C x H x W in [-1, 1]; vectors, N x D in [-1, 1], do too.

    Returns:
        One number a sample: N (k x N).
    """
    _require_like(logits, pictures)
    target = ((at_least_float32(pictures) + 1) / 2).expand_as(logits)
    losses = binary_cross_entropy_with_logits(at_least_float32(logits), target, reduction="none")
    return -_sum_of_sample(losses, pictures)


def gaussian_log_likelihood(means: Tensor, samples: Tensor, *, std: float) -> Tensor:
    """The log N(x; mean, std^2), sum over a sample's elements: minus the squared error over 2 std^2, and a constant.

    Args:
        means: the decoder's output, N x C x H x W or N x D (with k in front for k draws of each).
        samples: N x C x H x W in [-1, 1], or N x D.
        std: in the samples' units, above 0. It sets the price of detail against the KL.

    Returns:
        One number a sample: N (k x N).
    """
    _require_like(means, samples)
    squares = ((at_least_float32(means) - at_least_float32(samples)) / std).square()
    return -0.5 * _sum_of_sample(squares + (_LOG_2_PI + 2 * math.log(std)), samples)


def log_importance_weight(log_likelihood: Tensor, latent: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """The log w = log p(x|z) + log p(z) - log q(z|x); its expectation is the ELBO.

    Args:
        log_likelihood: N (or k x N), from a function above at `latent`.
        latent: N x D (or k x N x D), drawn from q.
        mean: N x D.
        log_variance: N x D.
    """
    latent, mean, log_variance = (at_least_float32(tensor) for tensor in (latent, mean, log_variance))
    log_q_over_p = 0.5 * (latent.square() - (latent - mean).square() / log_variance.exp() - log_variance)
    return log_likelihood - log_q_over_p.sum(dim=-1)


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    """The log (1/k sum_i w_i): IWAE's bound of log p(x), tighter with every k (Burda et al. 2016, eq. 8).

    Args:
        log_weights: k x N, from `log_importance_weight`; k = 1 is the ELBO.

    Returns:
        N bounds in nats.
    """
    return log_weights.logsumexp(dim=0) - math.log(log_weights.shape[0])


def active_units(means: Tensor, *, threshold: float = 0.01) -> int:
    """How many latent dimensions say something: variance over samples of E q(z_j|x) above `threshold` (Burda 2016).

    Args:
        means: N x D, the encoder's means of many samples.
        threshold: the paper's 0.01.
    """
    return int((means.double().var(dim=0) > threshold).sum())


def _sum_of_sample(elements: Tensor, samples: Tensor) -> Tensor:
    return elements.flatten(elements.dim() - samples.dim() + 1).sum(dim=-1)


def _require_like(made: Tensor, true: Tensor) -> None:
    # Broadcasting would hide a lost dimension and still give a number.
    if made.shape[-true.dim() :] != true.shape:
        raise ValueError(f"a decoder's output of shape {tuple(made.shape)} is not of {tuple(true.shape)} samples")
