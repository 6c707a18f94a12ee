"""Gradient penalties against closed forms on linear and quadratic discriminators."""

import pytest
import torch
from torch import nn

from translate.losses.penalty import (
    approximate_penalty,
    approximate_weight,
    wgan_gp_penalty,
    zero_centred_penalty,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def linear(weight):
    return lambda pictures: pictures.flatten(1) @ weight.flatten()


def quadratic(matrix):
    """D(x) = x' A x / 2, whose gradient is A x."""
    return lambda pictures: ((pictures.flatten(1) @ matrix) * pictures.flatten(1)).sum(1) / 2


def symmetric(size):
    matrix = normal(size, size, seed=3)
    return (matrix + matrix.T) / 2


def small_discriminator():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4, 2, 1))


def test_zero_centred_on_a_linear_discriminator_is_the_squared_norm():
    weight = normal(3, 4, 4)
    penalty = zero_centred_penalty(linear(weight), normal(5, 3, 4, 4, seed=1))
    torch.testing.assert_close(penalty, weight.square().sum())


def test_zero_centred_on_a_quadratic_discriminator():
    matrix, pictures = symmetric(12), normal(5, 3, 2, 2, seed=1)
    expected = (pictures.flatten(1) @ matrix).square().sum() / 5
    torch.testing.assert_close(zero_centred_penalty(quadratic(matrix), pictures), expected)


@pytest.mark.parametrize(("share", "mixed"), [(1.0, 0), (0.0, 1), (0.25, 2)])
def test_wgan_gp_measures_between_real_and_fake(share, mixed):
    matrix, real, fake = symmetric(12), normal(5, 3, 2, 2, seed=1), normal(5, 3, 2, 2, seed=2)
    where = [real, fake, 0.25 * real + 0.75 * fake][mixed].flatten(1)
    expected = ((where @ matrix).square().sum(1).sqrt() - 1).square().mean()
    penalty = wgan_gp_penalty(quadratic(matrix), real, fake, epsilon=torch.full((5,), share))
    torch.testing.assert_close(penalty, expected)


def test_wgan_gp_draws_one_share_a_picture():
    seen = []

    def discriminator(pictures):
        seen.append(pictures.detach())
        return pictures.sum((1, 2, 3))

    torch.manual_seed(0)
    wgan_gp_penalty(discriminator, torch.ones(200, 1, 2, 2), -torch.ones(200, 1, 2, 2))
    between = seen[0].flatten(1)
    assert (between == between[:, :1]).all()
    assert between[:, 0].unique().numel() == 200
    assert -1 <= between.min() < -0.9 < 0.9 < between.max() <= 1
    assert between.mean().abs() < 0.15


def test_wgan_gp_survives_a_gradient_of_zero():
    weight = torch.zeros(3, requires_grad=True)
    penalty = wgan_gp_penalty(linear(weight), torch.randn(2, 3, 1, 1), torch.randn(2, 3, 1, 1))
    penalty.backward()
    assert penalty.item() == 1
    assert torch.isfinite(weight.grad).all()


@pytest.mark.parametrize(
    "penalty",
    [
        lambda discriminator, real, fake: zero_centred_penalty(discriminator, real),
        lambda discriminator, real, fake: wgan_gp_penalty(discriminator, real, fake, epsilon=torch.tensor([0.3, 0.9])),
        lambda discriminator, real, fake: approximate_penalty(discriminator, real, sigma=0.5, noise=fake),
    ],
    ids=["zero-centred", "wgan-gp", "approximate"],
)
def test_gradient_for_the_discriminators_weights_matches_finite_differences(penalty):
    real, fake = normal(2, 2, 1, 1, seed=1), normal(2, 2, 1, 1, seed=2)
    first, second = normal(2, 4, seed=4).requires_grad_(), normal(4, seed=5).requires_grad_()

    def of_weights(first, second):
        return penalty(lambda pictures: (pictures.flatten(1) @ first).tanh() @ second, real, fake)

    assert torch.autograd.gradcheck(of_weights, (first, second))


@pytest.mark.parametrize("sigma", [1.0, 0.1, 0.01])
def test_approximation_over_sigma_squared_tends_to_r1(sigma):
    """For D = x'Ax/2, E (D(x) - D(x + sigma e))^2 = sigma^2 |Ax|^2 + sigma^4 (2 tr A^2 + tr^2 A) / 4."""
    matrix, count = symmetric(3), 200_000
    pictures = normal(1, 3, 1, 1, seed=1).expand(count, -1, -1, -1)
    exact = zero_centred_penalty(quadratic(matrix), pictures)
    bias = sigma**2 * (2 * (matrix @ matrix).trace() + matrix.trace() ** 2) / 4
    noise = normal(count, 3, 1, 1, seed=7)
    estimate = approximate_penalty(quadratic(matrix), pictures, sigma=sigma, noise=noise) / sigma**2
    torch.testing.assert_close(estimate, exact + bias, rtol=0.02, atol=0)


def test_approximate_weight_stands_for_half_gamma():
    gamma, sigma, weight = 0.1, 0.01, normal(3, 4, 4)
    pictures = torch.zeros(50_000, 3, 4, 4, dtype=torch.float64)
    torch.manual_seed(0)
    approximate = approximate_weight(gamma=gamma, sigma=sigma) * approximate_penalty(
        linear(weight), pictures, sigma=sigma
    )
    exact = gamma / 2 * zero_centred_penalty(linear(weight), pictures)
    torch.testing.assert_close(approximate, exact, rtol=0.03, atol=0)
    assert approximate_weight(gamma=0.02, sigma=0.01) == pytest.approx(100)


def test_many_scores_a_picture_are_summed_by_the_exact_and_averaged_by_the_approximate():
    """Four scores that see different pixels: |grad of sum|^2 = 4 x the mean of |grad of each|^2."""
    pictures, noise = normal(6, 1, 4, 4, seed=1), normal(6, 1, 4, 4, seed=2)
    kernel = normal(1, 1, 2, 2, seed=3)
    patches = lambda pictures: nn.functional.conv2d(pictures, kernel, stride=2)  # noqa: E731
    torch.testing.assert_close(zero_centred_penalty(patches, pictures), 4 * kernel.square().sum())
    expected = nn.functional.conv2d(noise, kernel, stride=2).square().mean()
    torch.testing.assert_close(approximate_penalty(patches, pictures, sigma=1.0, noise=noise), expected)


def test_scales_of_a_discriminator_all_count():
    a, b, pictures = normal(4), normal(4, seed=1), normal(3, 4, 1, 1, seed=2)
    both = lambda pictures: [linear(a)(pictures), linear(b)(pictures)]  # noqa: E731
    torch.testing.assert_close(zero_centred_penalty(both, pictures), (a + b).square().sum())
    each = [approximate_penalty(linear(w), pictures, noise=pictures) for w in (a, b)]
    torch.testing.assert_close(approximate_penalty(both, pictures, noise=pictures), sum(each) / 2)


def test_approximation_runs_in_float32_under_autocast():
    discriminator, pictures, noise = small_discriminator(), torch.rand(4, 3, 16, 16), torch.randn(4, 3, 16, 16)
    exact = approximate_penalty(discriminator, pictures, noise=noise)
    with torch.autocast("cpu", torch.bfloat16):
        within = approximate_penalty(discriminator, pictures, noise=noise)
        naive = (discriminator(pictures) - discriminator(pictures + 0.01 * noise)).float().square().mean()
    torch.testing.assert_close(within, exact, rtol=0, atol=0)
    assert abs(naive / exact - 1) > 0.05  # what would have come out of bfloat16


def test_pictures_in_half_are_raised_to_float32():
    discriminator, pictures, noise = (
        small_discriminator(),
        torch.rand(4, 3, 16, 16).bfloat16(),
        torch.randn(4, 3, 16, 16),
    )
    expected = approximate_penalty(discriminator, pictures.float(), noise=noise)
    torch.testing.assert_close(approximate_penalty(discriminator, pictures, noise=noise), expected, rtol=0, atol=0)
    expected = zero_centred_penalty(discriminator, pictures.float())
    torch.testing.assert_close(zero_centred_penalty(discriminator, pictures), expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    "penalty",
    [zero_centred_penalty, approximate_penalty, lambda d, x: wgan_gp_penalty(d, x, x)],
    ids=["zero-centred", "approximate", "wgan-gp"],
)
def test_the_generator_gets_no_gradient_and_the_discriminator_does(penalty):
    discriminator, made = small_discriminator(), torch.rand(2, 3, 16, 16, requires_grad=True)
    penalty(discriminator, made).backward()
    assert made.grad is None
    assert discriminator[0].weight.grad.abs().sum() > 0


@pytest.mark.slow
def test_a_compiled_discriminator_takes_the_approximation_and_refuses_the_exact():
    discriminator, pictures, noise = small_discriminator(), torch.rand(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    approximate_penalty(discriminator, pictures, noise=noise).backward()
    expected = [parameter.grad.clone() for parameter in discriminator.parameters()]
    discriminator.zero_grad()
    compiled = torch.compile(discriminator, backend="aot_eager")
    approximate_penalty(compiled, pictures, noise=noise).backward()
    for parameter, gradient in zip(discriminator.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    with pytest.raises(RuntimeError, match=r"double backward|create_graph=False"):  # by what ran before
        zero_centred_penalty(compiled, pictures).backward()
