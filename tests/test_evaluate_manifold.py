"""Precision, recall, density and coverage: by hand, by brute force, and by closed forms."""

from math import dist

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from translate.errors import ConfigurationError
from translate.metrics.manifold import expected_coverage, manifold, mean_distance

K = 5


pytestmark = pytest.mark.usefixtures("one_thread")


def column(*numbers):
    return np.array(numbers, dtype=float)[:, None]


def by_loops(made, real, k_precision, k_coverage):
    """The papers' formulas, written out."""

    def radius(rows, index, k):
        return sorted(dist(rows[index], row) for place, row in enumerate(rows) if place != index)[k - 1]

    def inside(point, rows, k):
        return [dist(point, row) <= radius(rows, index, k) for index, row in enumerate(rows)]

    return {
        "precision": np.mean([any(inside(point, real, k_precision)) for point in made]),
        "recall": np.mean([any(inside(point, made, k_precision)) for point in real]),
        "density": np.sum([inside(point, real, k_coverage) for point in made]) / (k_coverage * len(made)),
        "coverage": np.mean(np.any([inside(point, real, k_coverage) for point in made], axis=0)),
    }


def values(result):
    return {name: getattr(result, name).value for name in ("precision", "recall", "density", "coverage")}


def test_by_hand_on_a_line():
    # Balls with k = 1: real [-1, 1], [0, 2] and [1, 5]; made [-0.5, 1.5], [0.5, 2.5] and [1.5, 17.5].
    real, made = column(0, 1, 3), column(0.5, 1.5, 9.5)
    result = manifold(made, real, precision_neighbours=1, coverage_neighbours=1)
    assert values(result) == pytest.approx({"precision": 2 / 3, "recall": 1, "density": 4 / 3, "coverage": 1})
    assert result.precision.each.tolist() == [1, 1, 0]
    assert result.density.each.tolist() == [2, 2, 0]


@pytest.mark.parametrize(("made_count", "real_count"), [(30, 30), (20, 40)])
def test_as_the_formulas_by_brute_force(made_count, real_count):
    draw = np.random.default_rng(3)
    made, real = draw.normal(size=(made_count, 3)) + 0.7, draw.normal(size=(real_count, 3))
    assert values(manifold(made, real)) == pytest.approx(by_loops(made, real, 3, 5))


def simulated(neighbours, repetitions=40):
    draw = np.random.default_rng(0)
    pairs = [(draw.normal(size=(60, 4)), draw.normal(size=(50, 4))) for _ in range(repetitions)]
    return [manifold(made, real, coverage_neighbours=neighbours) for made, real in pairs]


def test_one_distribution_has_the_expected_coverage_and_density_one():
    results = simulated(K)
    assert np.mean([each.coverage.value for each in results]) == pytest.approx(expected_coverage(60, 50), abs=0.012)
    assert np.mean([each.density.value for each in results]) == pytest.approx(1, abs=0.05)
    # The control: radii that count a picture as its own neighbour are those of k - 1.
    off_by_one = np.mean([each.coverage.value for each in simulated(K - 1)])
    assert off_by_one != pytest.approx(expected_coverage(60, 50), abs=0.012)


def test_expected_coverage_tends_to_one_minus_a_power_of_two():
    assert expected_coverage(10**6, 10**6) == pytest.approx(1 - 2**-5, abs=1e-4)


def test_a_lost_mode_costs_recall_and_coverage_not_precision():
    draw = np.random.default_rng(1)
    real = np.concatenate([draw.normal(size=(100, 2)), draw.normal(size=(100, 2)) + 50])
    result = manifold(draw.normal(size=(200, 2)), real)
    assert result.precision.value > 0.9
    assert result.recall.value == pytest.approx(0.5, abs=0.06)
    assert result.coverage.value == pytest.approx(0.5, abs=0.06)


def test_invention_costs_precision_and_density_not_coverage():
    draw = np.random.default_rng(1)
    made = np.concatenate([draw.normal(size=(100, 2)), draw.normal(size=(100, 2)) + 50])
    result = manifold(made, draw.normal(size=(200, 2)))
    assert result.precision.value == pytest.approx(0.5, abs=0.06)
    assert result.density.value == pytest.approx(0.5, abs=0.12)
    assert result.coverage.value == pytest.approx(expected_coverage(100, 200), abs=0.06)


def test_an_outlier_fools_precision_and_not_density():
    draw = np.random.default_rng(2)
    made = draw.normal(size=(100, 2)) * 0.1 + 10
    real = np.concatenate([draw.normal(size=(100, 2)), [[30.0, 30.0]]])
    result = manifold(made, real)
    assert result.precision.value == 1
    assert result.density.value <= 1 / K


def test_copies_of_one_picture_lie_on_one_another():
    """Distances by matrix products would put copies at 1e-7 of one another, in or out of balls of no size by chance."""
    row = np.random.default_rng(0).normal(size=(1, 300)) * 100
    same = np.repeat(row, 10, axis=0)
    assert values(manifold(same, same)) == {"precision": 1, "recall": 1, "density": 2, "coverage": 1}


def test_the_interval_covers_what_another_draw_gives():
    draw = np.random.default_rng(0)
    real = draw.normal(size=(150, 2))
    truth = manifold(draw.normal(size=(1500, 2)) * 1.5, real).precision.value
    intervals = [manifold(draw.normal(size=(100, 2)) * 1.5, real).precision.interval for _ in range(30)]
    assert np.mean([low <= truth <= high for low, high in intervals]) > 0.85
    assert np.mean([high - low for low, high in intervals]) < 0.2


def test_mean_distance_is_scipys():
    vectors = np.random.default_rng(0).normal(size=(1100, 2))
    assert mean_distance(vectors) == pytest.approx(pdist(vectors).mean())


@pytest.mark.parametrize(
    ("made", "real", "words"),
    [((5, 2), (50, 2), "too few"), ((50, 2), (50, 3), "one backbone"), ((9,), (9,), "shapes")],
)
def test_what_cannot_be_compared_is_refused(made, real, words):
    with pytest.raises(ConfigurationError, match=words):
        manifold(np.zeros(made), np.zeros(real))
