"""Adversarial objectives against what theory says of two known densities on a grid of five points."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from scipy.spatial.distance import jensenshannon
from scipy.special import expit
from scipy.stats import wasserstein_distance
from torch.nn.functional import softplus

from translate.losses.adversarial import OBJECTIVES

# Densities as counts, so that plain means over score tensors are exact expectations.
REAL_COUNTS = torch.tensor([1, 2, 9, 13, 7])
FAKE_COUNTS = torch.tensor([10, 11, 6, 4, 1])
GRID = np.array([-2.0, -1.0, 0.5, 1.0, 3.0])
p = (REAL_COUNTS / REAL_COUNTS.sum()).double().numpy()
q = (FAKE_COUNTS / FAKE_COUNTS.sum()).double().numpy()
OPTIMUM = p / (p + q)
JENSEN_SHANNON = jensenshannon(p, q) ** 2


def samples(scores):
    """Scores (one for each grid point) of as many real and fake samples as the counts say."""
    return scores.repeat_interleave(REAL_COUNTS), scores.repeat_interleave(FAKE_COUNTS)


def all_pairs(scores):
    """The same, with every real sample beside every fake one."""
    real, fake = samples(scores)
    return torch.meshgrid(real, fake, indexing="ij")


def best_scores(loss):
    """The free-form discriminator that minimises loss(scores): one score for each grid point."""
    scores = torch.zeros(len(GRID), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15)

    def closure():
        optimizer.zero_grad()
        value = loss(scores)
        value.backward()
        return value

    optimizer.step(closure)
    return scores.detach()


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_logistic_discriminator_is_p_over_p_plus_q(name):
    scores = best_scores(lambda scores: OBJECTIVES[name].discriminator(*samples(scores)))
    np.testing.assert_allclose(expit(scores.numpy()), OPTIMUM, atol=1e-6)


def test_minimax_value_is_minus_log_4_plus_2_jsd():
    objective = OBJECTIVES["minimax"]
    scores = best_scores(lambda scores: objective.discriminator(*samples(scores)))
    value = -objective.discriminator(*samples(scores))
    assert value.item() == pytest.approx(-np.log(4) + 2 * JENSEN_SHANNON, abs=1e-9)


def test_minimax_generator_minimises_what_the_discriminator_maximises():
    scores = torch.randn(7, dtype=torch.float64)
    real = torch.randn(7, dtype=torch.float64)
    objective = OBJECTIVES["minimax"]
    against = objective.discriminator(real, scores) + objective.generator(scores, lambda: real)
    assert against.item() == pytest.approx(-np.log(expit(real.numpy())).mean())


def test_least_squares_discriminator_is_p_over_p_plus_q():
    objective = OBJECTIVES["least-squares"]
    scores = best_scores(lambda scores: objective.discriminator(*samples(scores)))
    np.testing.assert_allclose(scores.numpy(), OPTIMUM, atol=1e-7)
    # Not halved: the minimum of E_p (D-1)^2 + E_q D^2 is the sum of pq / (p + q).
    assert objective.discriminator(*samples(scores)).item() == pytest.approx((p * q / (p + q)).sum())


def test_hinge_discriminator_is_the_sign_and_its_value_2_minus_2_tv():
    discriminator = OBJECTIVES["hinge"].discriminator
    sign = torch.from_numpy(np.sign(p - q))
    steps = torch.linspace(-2, 2, 81, dtype=torch.float64)
    for point in range(len(GRID)):  # the loss is a sum over the points, so each can be searched by itself
        moved = [sign.index_fill(0, torch.tensor(point), step.item()) for step in steps]
        losses = torch.stack([discriminator(*samples(scores)) for scores in moved])
        assert steps[losses.argmin()].item() == pytest.approx(sign[point].item())
    total_variation = np.abs(p - q).sum() / 2
    assert discriminator(*samples(sign)).item() == pytest.approx(2 - 2 * total_variation)


def test_relativistic_discriminator_is_log_density_ratio_up_to_a_constant():
    discriminator = OBJECTIVES["relativistic"].discriminator
    scores = best_scores(lambda scores: discriminator(*all_pairs(scores)))
    shift = scores.numpy() - np.log(p / q)
    np.testing.assert_allclose(shift, shift.mean(), atol=1e-5)
    pairs, swapped = np.outer(p, q).ravel(), np.outer(q, p).ravel()
    value = discriminator(*all_pairs(scores)).item()
    assert value == pytest.approx(np.log(2) - jensenshannon(pairs, swapped) ** 2, abs=1e-9)


def test_wasserstein_is_the_distance_under_the_lipschitz_bound_and_unbounded_without():
    discriminator = OBJECTIVES["wasserstein"].discriminator
    scores = torch.zeros(len(GRID), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(discriminator(*samples(scores)), scores)
    np.testing.assert_allclose(slope.numpy(), q - p)
    steps = np.diff(np.eye(len(GRID)), axis=0)
    bounds = np.diff(GRID)
    solution = linprog(
        slope.numpy(),
        A_ub=np.vstack([steps, -steps]),
        b_ub=np.concatenate([bounds, bounds]),
        A_eq=np.eye(1, len(GRID), k=2),
        b_eq=[0.0],
        bounds=(None, None),
    )
    lipschitz = torch.from_numpy(solution.x)
    distance = wasserstein_distance(GRID, GRID, p, q)
    assert -discriminator(*samples(lipschitz)).item() == pytest.approx(distance)
    assert -discriminator(*samples(10 * lipschitz)).item() == pytest.approx(10 * distance)


def sigmoid(score):
    return 1 / (1 + np.exp(-score))


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("minimax", lambda fake, real: -sigmoid(fake)),
        ("non-saturating", lambda fake, real: sigmoid(fake) - 1),
        ("least-squares", lambda fake, real: 2 * (fake - 1)),
        ("hinge", lambda fake, real: -1.0),
        ("wasserstein", lambda fake, real: -1.0),
        ("relativistic", lambda fake, real: sigmoid(fake - real) - 1),
    ],
)
@pytest.mark.parametrize("at", [-20.0, -0.5, 0.0, 3.0])
def test_slope_of_the_generators_loss(name, slope, at):
    fake = torch.tensor([at], dtype=torch.float64, requires_grad=True)
    real = torch.tensor([0.7], dtype=torch.float64)
    OBJECTIVES[name].generator(fake, lambda: real).backward()
    assert fake.grad.item() == pytest.approx(slope(at, 0.7))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_match_finite_differences(name):
    torch.manual_seed(0)
    real, fake = (torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    objective = OBJECTIVES[name]
    assert torch.autograd.gradcheck(objective.discriminator, (real, fake))
    assert torch.autograd.gradcheck(lambda real, fake: objective.generator(fake, lambda: real), (real, fake))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_both_sides_pull_the_fake_scores_apart(name):
    """At undecided scores, the discriminator pushes fakes down (reals up) and the generator pushes them up."""
    real, fake = (torch.full((4,), 0.3, requires_grad=True) for _ in range(2))
    for_real, for_fake = torch.autograd.grad(OBJECTIVES[name].discriminator(real, fake), (real, fake))
    (for_generator,) = torch.autograd.grad(OBJECTIVES[name].generator(fake, lambda: real), fake)
    assert (for_real < 0).all()
    assert (for_fake > 0).all()
    assert (for_generator < 0).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_scores_in_half_are_averaged_in_float32(name):
    torch.manual_seed(0)
    real, fake = (torch.randn(1, 1, 300, 300).bfloat16() for _ in range(2))
    objective = OBJECTIVES[name]
    with torch.autocast("cpu", torch.bfloat16):
        losses = objective.discriminator(real, fake), objective.generator(fake, lambda: real)
    exact = (
        objective.discriminator(real.double(), fake.double()),
        objective.generator(fake.double(), lambda: real.double()),
    )
    assert losses[0].dtype == losses[1].dtype == torch.float32
    torch.testing.assert_close(torch.stack(losses).double(), torch.stack(exact), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_scale_weighs_the_same(name):
    torch.manual_seed(0)
    real = [torch.randn(2, 1, size, size) for size in (1, 9)]
    fake = [torch.randn(2, 1, size, size) for size in (1, 9)]
    objective = OBJECTIVES[name]
    each = [objective.discriminator(*pair) for pair in zip(real, fake, strict=True)]
    torch.testing.assert_close(objective.discriminator(real, fake), sum(each) / 2)
    each = [objective.generator(f, lambda r=r: r) for r, f in zip(real, fake, strict=True)]
    torch.testing.assert_close(objective.generator(fake, lambda: real), sum(each) / 2)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_only_relativistic_generators_look_at_real_pictures(name):
    looks = []

    def real():
        looks.append(1)
        return torch.zeros(3)

    OBJECTIVES[name].generator(torch.ones(3), real)
    assert len(looks) == (1 if name.startswith("relativistic") else 0)


def test_relativistic_pairs_the_i_th_with_the_i_th():
    real, fake = torch.tensor([5.0, -1.0]), torch.tensor([-1.0, 5.0])
    expected = (softplus(torch.tensor(-6.0)) + softplus(torch.tensor(6.0))) / 2
    assert OBJECTIVES["relativistic"].discriminator(real, fake) == expected


@pytest.mark.parametrize(("real", "fake"), [((4, 1), (4,)), ((4, 1), (3, 1)), ((4, 1, 8, 8), (4, 1, 7, 8))])
def test_relativistic_refuses_scores_that_do_not_pair_off(real, fake):
    with pytest.raises(ValueError, match="pairs scores off"):
        OBJECTIVES["relativistic"].discriminator(torch.zeros(real), torch.zeros(fake))
