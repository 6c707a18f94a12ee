"""Goodfellow's Parzen protocol against closed forms, SciPy's own density estimate, and its known blind spot."""

import math

import numpy as np
import pytest
import torch
from real_digits import digits
from scipy.special import logsumexp
from scipy.stats import gaussian_kde

from translate.errors import ConfigurationError
from translate.metrics import parzen
from translate.metrics.clusters import centroids, nearest_centroid
from translate.metrics.parzen import SIGMAS, parzen_likelihood, parzen_log_likelihoods, unit_pixels


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_the_book(samples, examples, sigma):
    """The formula written out, with every difference."""
    a = (examples.numpy()[:, None] - samples.numpy()[None]) / sigma
    norm = samples.shape[1] * np.log(sigma * np.sqrt(2 * np.pi)) + np.log(len(samples))
    return logsumexp(-0.5 * np.square(a).sum(axis=2), axis=1) - norm


def test_one_sample_is_one_gaussian():
    sample, examples = random(1, 7), random(20, 7, seed=1)
    truth = torch.distributions.Normal(sample, 0.3).log_prob(examples).sum(dim=1)
    torch.testing.assert_close(parzen_log_likelihoods(sample, examples, [0.3])[0], truth)


def test_agrees_with_scipys_density_estimate():
    samples, examples = random(50, 1), random(30, 1, seed=1)
    estimate = gaussian_kde(samples[:, 0].numpy(), bw_method=0.2 / float(samples.std()))
    truth = torch.from_numpy(estimate.logpdf(examples[:, 0].numpy()))
    torch.testing.assert_close(parzen_log_likelihoods(samples, examples, [0.2])[0], truth)


@pytest.mark.parametrize("sigma", [SIGMAS[0], 0.5, SIGMAS[-1]])
def test_agrees_with_the_formula_in_many_dimensions(sigma):
    samples, examples = random(40, 784).float(), random(25, 784, seed=1).float()
    truth = torch.from_numpy(by_the_book(samples.double(), examples.double(), sigma))
    ours = parzen_log_likelihoods(samples, examples, [sigma])[0]
    torch.testing.assert_close(ours, truth, rtol=0, atol=1e-8)
    squares = (examples[:, None] - samples[None]).square().sum(dim=2)
    naive = torch.exp(squares / (-2 * sigma**2)).mean(dim=1).log()
    assert sigma > 0.3 or not naive.isfinite().all()  # the control: without log-sum-exp the narrow windows are lost


def test_a_density_integrates_to_one():
    line = torch.linspace(-5, 6, 20001, dtype=torch.float64)[:, None]
    density = parzen_log_likelihoods(random(9, 1), line, [0.25])[0].exp()
    assert float(torch.trapezoid(density, line[:, 0])) == pytest.approx(1, abs=1e-6)


def test_memory_is_bounded_and_chunks_change_nothing(monkeypatch):
    samples, examples = random(30, 5), random(101, 5, seed=1)
    whole = parzen_log_likelihoods(samples, examples, SIGMAS)
    sizes = []
    original = parzen._squared_distances
    monkeypatch.setattr(parzen, "_NUMBERS_AT_ONCE", 200)
    monkeypatch.setattr(parzen, "_squared_distances", lambda a, b: sizes.append(len(a) * len(b)) or original(a, b))
    torch.testing.assert_close(parzen_log_likelihoods(samples, examples, SIGMAS), whole)
    assert max(sizes) <= 200
    assert sum(sizes) == 30 * 101


def test_the_widths_are_the_papers():
    np.testing.assert_allclose(SIGMAS, np.logspace(-1, 0, 10))


def test_the_width_is_chosen_on_validation_and_the_error_is_over_test_pictures():
    samples = torch.full((1, 4), 0.5, dtype=torch.float64)
    validation, test = 0.5 + 0.2 * (random(50, 4) - 0.5), random(60, 4, seed=2).round()
    found = parzen_likelihood(samples, validation, test)
    on_validation = [by_the_book(samples, validation, sigma).mean() for sigma in SIGMAS]
    on_test = [by_the_book(samples, test, sigma).mean() for sigma in SIGMAS]
    assert found.sigma == SIGMAS[int(np.argmax(on_validation))]
    assert found.sigma != SIGMAS[int(np.argmax(on_test))]
    scores = by_the_book(samples, test[:30], found.sigma)
    half = parzen_likelihood(samples, validation, test[:30])
    assert half.mean_nats == pytest.approx(scores.mean())
    assert half.standard_error_nats == pytest.approx(scores.std() / math.sqrt(30))


def test_pixels_of_pictures_become_unit_vectors():
    pictures = torch.tensor([-1.0, 0.0, 1.0, 1.2]).view(1, 1, 2, 2)
    assert unit_pixels(pictures).tolist() == [[0.0, 0.5, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("samples", "test", "says"),
    [
        (torch.full((4, 6), -0.5), torch.rand(4, 6), r"samples holds values from -0.5"),
        (torch.rand(4, 6), torch.full((4, 6), torch.nan), "test holds values from nan"),
        (torch.rand(4, 6), torch.rand(4, 5), r"test is \(4, 5\)"),
        (torch.rand(4, 1, 2, 3), torch.rand(4, 6), "flatten pictures"),
        (torch.rand(0, 6), torch.rand(4, 6), "at least one"),
    ],
)
def test_other_ranges_and_shapes_are_refused(samples, test, says):
    with pytest.raises(ConfigurationError, match=says):
        parzen_likelihood(samples, torch.rand(4, 6), test)


def test_centroids_agree_with_the_clusters_that_were_planted():
    truth = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]]).double()
    points = (truth[torch.arange(300) % 3] + 0.1 * (random(300, 2) - 0.5)).float()
    found = centroids(points, 3, seed=2)
    nearest = nearest_centroid(truth, found)
    assert sorted(nearest.tolist()) == [0, 1, 2]
    torch.testing.assert_close(found[nearest], truth, rtol=0, atol=0.02)
    with pytest.raises(ConfigurationError, match="301 centroids among 300"):
        centroids(points, 301)


def test_the_caveat_centroids_of_k_means_beat_real_pictures():
    vectors = unit_pixels(digits()[0])
    training, validation, test = vectors[:2000], vectors[4000:4250], vectors[4500:4750]
    real = parzen_likelihood(training[:400], validation, test)
    blurred = parzen_likelihood(centroids(training, 400, iterations=5), validation, test)
    assert blurred.mean_nats > real.mean_nats + 3 * (blurred.standard_error_nats + real.standard_error_nats)
    assert "nats (sigma 0." in str(real)


def test_points_have_their_own_widths_and_nats_follow_their_unit():
    samples, validation, test = (normal(400, 2, seed=seed) for seed in range(3))
    found = parzen.parzen_likelihood_of_points(samples, validation, test)
    entropy = math.log(2 * math.pi * math.e)
    assert found.mean_nats == pytest.approx(-entropy, abs=0.2)
    spread = float(validation.var(dim=0, correction=0).mean()) ** 0.5
    assert min(abs(found.sigma / spread - share) for share in parzen.SHARES_OF_SPREAD) < 1e-9
    larger = parzen.parzen_likelihood_of_points(*(3 + 100 * points for points in (samples, validation, test)))
    assert larger.mean_nats == pytest.approx(found.mean_nats - 2 * math.log(100))
    far = parzen.parzen_likelihood_of_points(samples + 2, validation, test)  # the control
    assert far.mean_nats < found.mean_nats - 1


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
