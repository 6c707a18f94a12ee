"""Modes covered, quality and reverse KL against closed forms; the floor against simulation."""

import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import entropy

from translate.errors import ConfigurationError
from translate.metrics.modes import GaussianModes, coverage_of_counts
from translate.metrics.stacked import modes_of_digits, stack, stacked_coverage

ALL = {
    "grid25": (GaussianModes.grid25(), 25, 0.05),
    "ring8": (GaussianModes.ring8(), 8, 0.01),
    "unrolled": (GaussianModes.unrolled_ring8(), 8, 0.02),
}
WITHIN_3_SIGMA = 1 - math.exp(-4.5)


@pytest.mark.parametrize(("modes", "count", "sigma"), ALL.values(), ids=ALL)
def test_a_perfect_sampler_covers_all_modes_at_the_floor(modes, count, sigma):
    found = [modes.coverage(modes.sample(4000, seed)) for seed in range(40)]
    assert {one.covered for one in found} == {count}
    quality = sum(one.high_quality_share for one in found) / 40
    assert quality == pytest.approx(WITHIN_3_SIGMA, abs=4 * math.sqrt(0.011 * 0.989 / 160000))
    mean_kl = sum(one.reverse_kl_nats for one in found) / 40
    assert mean_kl == pytest.approx(found[0].floor_nats, rel=0.3)
    assert found[0].floor_nats == pytest.approx((count - 1) / (2 * 4000 * found[0].high_quality_share))
    assert modes.sigma == sigma


@pytest.mark.parametrize(("modes", "spread"), [(GaussianModes.grid25(), 4.0), (GaussianModes.ring8(), 1.0)])
def test_points_lie_where_they_should(modes, spread):
    points = modes.sample(20000, 3)
    assert points.dtype == torch.float32
    assert torch.equal(points, modes.sample(20000, 3))
    assert not torch.equal(points, modes.sample(20000, 4))
    assert float(points.abs().max()) == pytest.approx(spread, abs=6 * modes.sigma)
    assert float(points.mean(dim=0).abs().max()) < 0.1
    nearest = torch.cdist(points, torch.tensor(modes.centres)).amin(dim=1)
    assert float(nearest.square().mean().sqrt()) == pytest.approx(modes.sigma * math.sqrt(2), rel=0.03)


@pytest.mark.parametrize("kept", [1, 8, 17])
def test_lost_modes_are_counted_and_cost_their_logarithm(kept):
    grid = GaussianModes.grid25()
    found = grid.coverage(replace(grid, centres=grid.centres[:kept]).sample(20000, 0))
    assert found.covered == kept
    assert found.reverse_kl_nats == pytest.approx(math.log(25 / kept), abs=0.005)


def test_quality_ends_at_three_sigma_and_broken_points_have_none():
    ring = GaussianModes.ring8()
    points = torch.tensor([[1.029, 0.0], [1.031, 0.0], [torch.nan, 0.0], [torch.inf, 1.0], [0.0, 0.0]])
    found = ring.coverage(points)
    assert (found.covered, found.samples, found.high_quality_share) == (1, 5, 0.2)


def test_a_sampler_between_the_modes_covers_none():
    found = GaussianModes.grid25().coverage(torch.full((100, 2), 1.0))
    assert (found.covered, found.high_quality_share, found.reverse_kl_nats) == (0, 0.0, math.inf)


def test_reverse_kl_is_that_of_scipy_and_not_the_forward_one():
    counts = torch.tensor([50, 30, 15, 5])
    shares, even = counts.numpy() / 100, [0.25] * 4
    assert coverage_of_counts(counts).reverse_kl_nats == pytest.approx(entropy(shares, even))
    assert abs(entropy(even, shares) - entropy(shares, even)) > 0.05  # the control: the two differ here


def test_the_floor_is_what_simulation_finds_for_1000_modes():
    draw = torch.Generator().manual_seed(0)
    found = [
        coverage_of_counts(torch.bincount(torch.randint(1000, (26000,), generator=draw), minlength=1000))
        for _ in range(20)
    ]
    assert found[0].floor_nats == pytest.approx(0.01921, abs=1e-5)
    mean = sum(one.reverse_kl_nats for one in found) / 20
    assert mean == pytest.approx(found[0].floor_nats, rel=0.03)
    assert "a perfect sampler: 0.0192" in str(found[0])


@pytest.mark.parametrize(("counts", "samples"), [([[1, 2]], 5), ([], 5), ([3, 4], 6)])
def test_counts_that_do_not_fit_are_refused(counts, samples):
    with pytest.raises(ConfigurationError, match="do not fit"):
        coverage_of_counts(torch.tensor(counts, dtype=torch.long), samples=samples)


def test_points_must_lie_in_a_plane():
    with pytest.raises(ConfigurationError, match="N x 2"):
        GaussianModes.grid25().coverage(torch.zeros(4, 3))


def signs():
    """Pictures that say their class in every pixel."""
    labels = torch.arange(200) % 10
    return (labels.float() / 10).view(-1, 1, 1, 1).expand(-1, 1, 6, 5), labels


def test_a_stacked_picture_shows_the_digits_of_its_mode():
    pictures, modes = stack(*signs(), 3000, seed=1)
    assert pictures.shape == (3000, 3, 6, 5)
    shown = (pictures[:, :, 2, 3] * 10).round().long()
    assert torch.equal(shown[:, 0] * 100 + shown[:, 1] * 10 + shown[:, 2], modes)
    assert torch.equal(stack(*signs(), 3000, seed=1)[0], pictures)
    assert not torch.equal(stack(*signs(), 3000, seed=2)[1], modes)
    turned = modes_of_digits(shown.flip(1))
    assert not torch.equal(turned, modes)  # the control: channels have an order


def test_stacked_coverage_counts_a_thousand_modes():
    digits = torch.randint(10, (26000, 3), generator=torch.Generator().manual_seed(0))
    even = stacked_coverage(digits)
    assert (even.modes, even.covered) == (1000, 1000)
    assert even.reverse_kl_nats == pytest.approx(0.0193, abs=0.003)
    collapsed = stacked_coverage(digits % torch.tensor([10, 10, 1]))
    assert collapsed.covered == 100
    assert collapsed.reverse_kl_nats == pytest.approx(math.log(10), abs=0.01)


def test_only_labelled_grey_digits_can_be_stacked():
    pictures, labels = signs()
    for wrong in ((pictures.expand(-1, 3, -1, -1), labels), (pictures, labels[:5])):
        with pytest.raises(ConfigurationError, match="Cannot stack"):
            stack(*wrong, 10, seed=0)
