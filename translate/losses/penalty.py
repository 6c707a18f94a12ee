"""Gradient penalties: they hold a discriminator back where it would grow too steep. Weights are the caller's.

The exact ones (WGAN-GP, R1, R2) differentiate twice. `torch.compile` cannot do that, so a penalty on a compiled
discriminator needs the approximation, which takes two plain passes, or the module as it was before compiling.
"Pictures" may be N x D vectors too, in their own units.
Under autocast the exact ones run as the discriminator does: in bfloat16 that is usual, in float16 their inner gradient,
which no gradient scaler reaches, may underflow.

Where a discriminator gives a picture many scores (PatchGAN, several scales), the exact penalties take the gradient of
their *sum*, as published code does. The approximation takes each score by itself and the mean over them: about the
exact one divided by the number of scores, but blind to no two scores whose gradients cancel.
"""

import torch
from torch import Tensor

from translate.losses.scores import Discriminator, Scores, at_least_float32, full_precision, mean_over_scales, scales


def zero_centred_penalty(discriminator: Discriminator, pictures: Tensor) -> Tensor:
    """||grad D||^2: R1 on real pictures, R2 on generated ones (Mescheder et al. 2018, eq. 9 and 10).

    Summed over channels and pixels, mean over the batch. The published weight is gamma / 2.

    Args:
        discriminator: gives the scores of N pictures; one picture's scores may not depend on another picture.
        pictures: N x C x H x W in [-1, 1]; no gradient flows into what made them.
    """
    return _input_gradient(discriminator, pictures).flatten(1).square().sum(dim=1).mean()


def wgan_gp_penalty(
    discriminator: Discriminator, real: Tensor, fake: Tensor, *, epsilon: Tensor | None = None
) -> Tensor:
    """(||grad D|| - 1)^2 between real and fake, mean over the batch (Gulrajani et al. 2017, eq. 3; lambda 10).

    Args:
        discriminator: gives the scores of N pictures; one picture's scores may not depend on another picture.
        real: N x C x H x W in [-1, 1].
        fake: the same shape; no gradient flows into what made it.
        epsilon: N shares of the real picture in [0, 1]; drawn uniformly if left out.
    """
    if epsilon is None:
        epsilon = torch.rand(real.shape[0], device=real.device)
    share = epsilon.to(at_least_float32(real).dtype).reshape(-1, *[1] * (real.dim() - 1))
    between = share * real.detach() + (1 - share) * fake.detach()
    # Not the root of a sum of squares: where a gradient is exactly zero (dead ReLUs), its derivative would be NaN.
    length = torch.linalg.vector_norm(_input_gradient(discriminator, between).flatten(1), dim=1)
    return (length - 1).square().mean()


def approximate_penalty(
    discriminator: Discriminator, pictures: Tensor, *, sigma: float = 0.01, noise: Tensor | None = None
) -> Tensor:
    """(D(x) - D(x + sigma eps))^2: R1 or R2 without double backward (Lin et al. 2025, Seaweed-APT, eq. 9).

    Mean over all scores. For small sigma its expectation is sigma^2 ||grad D||^2, so a weight lambda does what
    gamma / 2 does before the exact penalty where lambda sigma^2 = gamma / 2: see `approximate_weight`.

    Both passes run in float32 with autocast off: the two scores differ by about sigma, and bfloat16 with its 8 bits
    would leave rounding noise only.

    Args:
        discriminator: gives the scores of N pictures. Its parameters must be float32.
        pictures: N x C x H x W in [-1, 1]; no gradient flows into what made them.
        sigma: standard deviation of the noise, in units of the pictures' range [-1, 1].
        noise: standard normal numbers of the pictures' shape; drawn if left out.
    """
    pictures = at_least_float32(pictures.detach())
    noise = torch.randn_like(pictures) if noise is None else noise.to(pictures.dtype)
    with full_precision(pictures.device):
        here, there = scales(discriminator(pictures)), scales(discriminator(pictures + sigma * noise))
        return mean_over_scales([(a - b).square().mean() for a, b in zip(here, there, strict=True)])


def approximate_weight(*, gamma: float, sigma: float) -> float:
    """The lambda for `approximate_penalty` that stands for gamma / 2 before the exact one: gamma / (2 sigma^2)."""
    return gamma / (2 * sigma**2)


def _input_gradient(discriminator: Discriminator, pictures: Tensor) -> Tensor:
    pictures = at_least_float32(pictures.detach()).requires_grad_()
    (gradient,) = torch.autograd.grad(_total(discriminator(pictures)), pictures, create_graph=True)
    return gradient


def _total(scores: Scores) -> Tensor:
    return torch.stack([tensor.sum() for tensor in scales(scores)]).sum()
