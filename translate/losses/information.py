"""Mutual information between a code and what the generator makes of it, bounded from below (InfoGAN), in nats.

L_I = E log Q(c | G(z, c)) + H(c) <= I(c; G(z, c)) (Chen et al. 2016, eq. 5). Generator and Q both maximise it, so a
method's term is minus a weight times the bound. Bounds of several codes that are drawn independently add up.
"""

import math

import torch
from torch import Tensor
from torch.distributions import Normal

from translate.losses.classes import classification
from translate.losses.scores import at_least_float32

ENTROPY_OF_UNIFORM = math.log(2.0)
"""Entropy in nats of a code drawn uniformly from [-1, 1]."""


def categorical_information(logits: Tensor, codes: Tensor) -> Tensor:
    """The bound for one code drawn uniformly from K classes: log K - cross-entropy, at most log K.

    Args:
        logits: N x K, Q's raw logits, given what was made of the codes.
        codes: N integers from 0 to K - 1.
    """
    return math.log(logits.shape[1]) - classification(logits, codes)


def continuous_information(
    means: Tensor, codes: Tensor, *, std: float = 1.0, entropy: float = ENTROPY_OF_UNIFORM
) -> Tensor:
    """The bound for C continuous codes, where Q is a Gaussian of a fixed standard deviation; sum over the codes.

    With a fixed std its gradient is that of a squared error over 2 std^2. At most C (entropy - log(std sqrt(2 pi))),
    reached where Q hits every code; std 1 (the paper's) bounds loosely: C times -0.23 nats for codes from [-1, 1].

    Args:
        means: N x C, Q's guess.
        codes: N x C, what was drawn.
        std: standard deviation of Q, above 0.
        entropy: of one code in nats.
    """
    if means.shape != codes.shape:
        raise ValueError(f"guesses and codes have different shapes: {tuple(means.shape)} and {tuple(codes.shape)}")
    means = at_least_float32(means)
    # Filled on the device: of a plain number torch makes a tensor on the host, and waits for the device to copy it.
    spread = torch.full((), std, dtype=means.dtype, device=means.device)
    log_likelihood = Normal(means, spread, validate_args=False).log_prob(at_least_float32(codes))
    return torch.sum(log_likelihood + entropy, dim=1).mean()
