"""The evidence bound and its parts against torch.distributions and a model whose evidence is known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import Bernoulli, Normal, kl_divergence

from translate.losses.variational import (
    active_units,
    bernoulli_log_likelihood,
    drawn_from,
    free_bits,
    gaussian_kl,
    gaussian_log_likelihood,
    importance_weighted_bound,
    log_importance_weight,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


MEAN, LOG_VARIANCE = normal(5, 3), normal(5, 3, seed=1)


def test_gaussian_kl():
    expected = kl_divergence(Normal(MEAN, (LOG_VARIANCE / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(MEAN, LOG_VARIANCE), expected)
    assert (gaussian_kl(torch.zeros(2, 3), torch.zeros(2, 3)) == 0).all()


def test_kl_of_halves_is_in_float32():
    assert gaussian_kl(MEAN.half(), LOG_VARIANCE.half()).dtype == torch.float32


def test_draws_have_the_mean_and_the_variance_and_pass_gradients():
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]])
    draws = drawn_from(mean.expand(100_000, 2), log_variance.expand(100_000, 2))
    torch.testing.assert_close(draws.mean(0), mean[0], rtol=0, atol=0.03)
    torch.testing.assert_close(draws.var(0), log_variance[0].exp(), rtol=0.02, atol=0)
    noise = normal(5, 3, seed=2)
    means, log_variances = MEAN.clone().requires_grad_(), LOG_VARIANCE.clone().requires_grad_()
    drawn_from(means, log_variances, noise=noise).sum().backward()
    torch.testing.assert_close(means.grad, torch.ones(5, 3, dtype=torch.float64))
    torch.testing.assert_close(log_variances.grad, 0.5 * (LOG_VARIANCE / 2).exp() * noise)


def test_free_bits_charge_what_is_above_them():
    kl = torch.tensor([[0.0, 1.0, 3.0], [0.2, 0.0, 5.0]])  # means 0.1, 0.5, 4
    assert free_bits(kl, least=0.0).item() == pytest.approx(4.6)
    assert free_bits(kl, least=0.25).item() == pytest.approx(0.25 + 0.5 + 4)
    assert free_bits(kl, least=1.0).item() == pytest.approx(1 + 1 + 4)


def test_free_bits_do_not_push_a_dimension_that_is_free():
    kl = torch.tensor([[0.1, 2.0], [0.3, 2.0]], requires_grad=True)
    free_bits(kl, least=0.5).backward()
    assert kl.grad.tolist() == [[0.0, 0.5], [0.0, 0.5]]


def test_bernoulli_sums_over_a_picture_in_minus_1_to_1():
    logits = normal(4, 1, 3, 2)
    pictures = (normal(4, 1, 3, 2, seed=1) > 0).double() * 2 - 1
    expected = Bernoulli(logits=logits).log_prob((pictures + 1) / 2).sum((1, 2, 3))
    torch.testing.assert_close(bernoulli_log_likelihood(logits, pictures), expected)


def test_bernoullis_best_logits_for_a_grey_picture_have_it_as_their_mean():
    pictures = torch.tensor([[0.5, -0.9]], dtype=torch.float64)
    logits = (2 * pictures.atanh()).requires_grad_()
    bernoulli_log_likelihood(logits, pictures).sum().backward()
    torch.testing.assert_close(logits.grad, torch.zeros(1, 2, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(4, 3), (4, 1, 3, 2)])
@pytest.mark.parametrize("std", [1.0, 0.1])
def test_gaussian_sums_over_a_sample(shape, std):
    means, samples = normal(*shape), normal(*shape, seed=1)
    expected = Normal(means, std).log_prob(samples).flatten(1).sum(1)
    torch.testing.assert_close(gaussian_log_likelihood(means, samples, std=std), expected)


@pytest.mark.parametrize("shape", [(4, 3), (4, 1, 3, 2)])
@pytest.mark.parametrize(
    "likelihood", [bernoulli_log_likelihood, lambda made, true: gaussian_log_likelihood(made, true, std=0.5)]
)
def test_k_draws_of_each_sample_give_k_numbers(likelihood, shape):
    made, true = normal(6, *shape), normal(*shape, seed=1).clamp(-1, 1)
    each = torch.stack([likelihood(one, true) for one in made])
    assert each.shape == (6, 4)
    torch.testing.assert_close(likelihood(made, true), each)


@pytest.mark.parametrize(
    "likelihood", [bernoulli_log_likelihood, lambda made, true: gaussian_log_likelihood(made, true, std=0.5)]
)
def test_a_lost_dimension_is_refused(likelihood):
    with pytest.raises(ValueError, match="is not of"):
        likelihood(torch.zeros(4, 1), torch.zeros(4, 3))


def test_importance_weight():
    latent, log_likelihood = normal(6, 5, 3, seed=2), normal(6, 5, seed=3)
    prior, posterior = Normal(0.0, 1.0), Normal(MEAN, (LOG_VARIANCE / 2).exp())
    expected = log_likelihood + (prior.log_prob(latent) - posterior.log_prob(latent)).sum(-1)
    torch.testing.assert_close(log_importance_weight(log_likelihood, latent, MEAN, LOG_VARIANCE), expected)


# A linear model: z ~ N(0, 1) in 2 dimensions, x = A z + N(0, s^2) in 3. Its evidence is N(x; 0, A A' + s^2).
A, STD = torch.tensor([[1.0, 0.2], [0.5, -1.0], [0.0, 0.7]], dtype=torch.float64), 0.5
X = torch.tensor([[0.3, -0.8, 1.0], [1.5, 0.2, -0.4]], dtype=torch.float64)
EVIDENCE = multivariate_normal(np.zeros(3), A.numpy() @ A.numpy().T + STD**2 * np.eye(3)).logpdf(X.numpy())


def weights(mean, log_variance, draws):
    torch.manual_seed(0)
    latent = drawn_from(mean.expand(draws, 2, 2), log_variance.expand(draws, 2, 2))
    return log_importance_weight(gaussian_log_likelihood(latent @ A.T, X, std=STD), latent, mean, log_variance)


def poor_posterior():
    return torch.zeros(2, 2, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)


def test_the_bound_tends_to_the_evidence_with_k():
    bound = importance_weighted_bound(weights(*poor_posterior(), 200_000))
    np.testing.assert_allclose(bound.numpy(), EVIDENCE, atol=0.02)


def test_the_bound_grows_with_k_from_the_elbo():
    blocks = weights(*poor_posterior(), 64_000)
    means = [importance_weighted_bound(blocks.reshape(k, -1)).mean().item() for k in (1, 5, 50)]
    assert means[0] < means[1] - 0.1 < means[2] - 0.2
    assert means[2] < EVIDENCE.mean()


def test_the_elbo_is_likelihood_minus_kl():
    mean, log_variance = MEAN[:2, :2] * 0.3, LOG_VARIANCE[:2, :2] - 1
    drawn = weights(mean, log_variance, 200_000).mean(0)
    expected_error = (X - mean @ A.T).square().sum(1) + (log_variance.exp() @ A.square().sum(0))
    likelihood = -0.5 * expected_error / STD**2 - 1.5 * math.log(2 * math.pi * STD**2)
    elbo = likelihood - gaussian_kl(mean, log_variance).sum(1)
    torch.testing.assert_close(drawn, elbo, rtol=0, atol=0.05)
    assert (elbo.numpy() < EVIDENCE).all()


def test_control_the_mean_of_weights_without_the_logarithm_of_k_is_no_bound():
    without = torch.logsumexp(weights(*poor_posterior(), 1000), dim=0)
    assert (without.numpy() > EVIDENCE).all()


def test_active_units_are_those_whose_means_vary():
    torch.manual_seed(0)
    means = torch.randn(4000, 4) * torch.tensor([1.0, 0.2, 0.05, 0.0]) + torch.tensor([0.0, 0.0, 3.0, 5.0])
    assert active_units(means) == 2  # variances 1, 0.04, 0.0025, 0
    assert active_units(means, threshold=0.001) == 3
