"""The classifier two-sample test: its p-values, how often it cries wolf, and what it sees."""

from dataclasses import dataclass, field
from math import comb

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.stats import binom
from skimage import data

from translate.errors import ConfigurationError
from translate.metrics.two_sample import TwoSampleTest, counted, held_out_scores, two_sample_test
from translate.metrics.two_sample_classifiers import NearestNeighbours, NeuralClassifier

QUICK = NeuralClassifier(steps=12, learning_rate=0.05)
ALPHA = 0.05


pytestmark = pytest.mark.usefixtures("one_thread")


def level(held_out):
    """How often an exact test of so many coins really rejects: at most alpha, since counts are whole."""
    return binom.sf(binom.isf(ALPHA, held_out, 0.5), held_out, 0.5)


def rejections(classifier, repetitions, *, first=60, second=60, shift=0.0, dimensions=4, tested=two_sample_test):
    draw = np.random.default_rng(7)
    results = [
        tested(draw.normal(shift, 1, (first, dimensions)), draw.normal(size=(second, dimensions)), classifier, seed)
        for seed in range(repetitions)
    ]
    return sum(result.p_exact < ALPHA for result in results)


def properly(first, second, classifier, seed):
    return two_sample_test(first, second, classifier=classifier, seed=seed)


def on_training_rows(first, second, classifier, seed):
    """The control: it counts on the rows that it was trained on."""
    score = classifier.fit(first, second, seed=seed)
    return counted(score(first), score(second))


def within_band(rejected, repetitions, chance):
    low, high = binom.interval(0.999, repetitions, chance)
    return low <= rejected <= high


# The p-values


def test_exact_p_is_the_sum_of_the_tail():
    test = TwoSampleTest(correct=14, held_out=20)
    assert test.p_exact == pytest.approx(sum(comb(20, k) for k in range(14, 21)) / 2**20)
    assert TwoSampleTest(correct=0, held_out=20).p_exact == 1


def test_normal_p_is_the_papers():
    # 1.644854 standard deviations of 1 / (2 sqrt(n)) above one half leave 5 %.
    test = TwoSampleTest(correct=5000 + 82, held_out=10000)
    assert test.p_normal == pytest.approx(0.0505, abs=1e-4)
    assert test.p_exact == pytest.approx(test.p_normal, abs=2e-3)


@pytest.mark.parametrize("held_out", [10, 100, 301])
def test_detectable_is_the_least_significant_accuracy(held_out):
    least = round(TwoSampleTest(correct=0, held_out=held_out).detectable() * held_out)
    assert TwoSampleTest(correct=least, held_out=held_out).p_exact < ALPHA
    assert TwoSampleTest(correct=least - 1, held_out=held_out).p_exact >= ALPHA


def test_of_four_coins_none_is_significant():
    assert TwoSampleTest(correct=4, held_out=4).detectable() > 1


def test_interval_holds_the_accuracy():
    low, high = TwoSampleTest(correct=60, held_out=100).interval
    assert (low, high) == pytest.approx((0.502, 0.691), abs=2e-3)  # Wilson's formula by hand


# Where nothing differs


@pytest.mark.parametrize("classifier", [QUICK, NearestNeighbours()], ids=["neural", "neighbours"])
def test_cries_wolf_as_often_as_asked(classifier):
    assert within_band(rejections(classifier, 100, tested=properly), 100, level(60))


def test_unequal_counts_cry_no_more():
    """All that is not held out is trained on: both sides must weigh the same, or the larger one would always win."""
    assert within_band(rejections(NearestNeighbours(), 200, first=60, second=300, tested=properly), 200, level(60))


@pytest.mark.parametrize("classifier", [QUICK, NearestNeighbours()], ids=["neural", "neighbours"])
def test_control_counting_on_training_rows_cries_wolf(classifier):
    rejected = rejections(classifier, 40, dimensions=20, tested=on_training_rows)
    assert not within_band(rejected, 40, level(120))
    assert rejected > 20


@pytest.mark.slow
@pytest.mark.parametrize("classifier", [NeuralClassifier(), NearestNeighbours()], ids=["neural", "neighbours"])
def test_cries_wolf_as_often_as_asked_in_500_repetitions(classifier):
    rejected = rejections(classifier, 500, first=200, second=200, tested=properly)
    assert within_band(rejected, 500, level(200))


# What it sees


@pytest.mark.parametrize("classifier", [QUICK, NearestNeighbours()], ids=["neural", "neighbours"])
def test_a_larger_shift_is_seen_more_often(classifier):
    power = [rejections(classifier, 20, first=150, second=150, shift=by, tested=properly) / 20 for by in (0, 0.3, 0.9)]
    assert power[0] <= 0.2
    assert power[0] < power[1] <= power[2]
    assert power[2] == 1


def student_power(degrees, rows, repetitions, classifier):
    draw = np.random.default_rng(5)
    tests = [
        properly(draw.standard_t(degrees, (rows, 1)), draw.normal(size=(rows, 1)), classifier, seed)
        for seed in range(repetitions)
    ]
    return np.mean([test.p_exact < ALPHA for test in tests])


def test_heavier_tails_are_seen_more_often():
    """Figure 2 of the paper, with fewer rows: a Student's t nears the normal as its degrees of freedom grow."""
    few, many = (student_power(degrees, 1000, 10, NearestNeighbours()) for degrees in (1, 30))
    assert few >= 0.8
    assert many <= 0.3


@pytest.mark.slow
def test_power_falls_with_the_degrees_of_freedom():
    power = [student_power(degrees, 2000, 25, NeuralClassifier()) for degrees in (2, 5, 20)]
    assert power[0] > 0.9
    assert power[0] >= power[1] >= power[2]
    assert power[2] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["blur", "noise"])
def test_damage_to_pictures_is_seen_more_the_stronger_it_is(damage):
    from translate.metrics.distribution import EmbeddingCollector
    from translate.networks.efficientnet import EfficientNetLite

    judge = EfficientNetLite(variant="lite1")
    draw = np.random.default_rng(0)

    def rows(strength):
        crops = [_crop(draw) for _ in range(120)]
        collector = EmbeddingCollector(judge)
        damaged = np.stack([_damaged(crop, damage, strength, draw) for crop in crops])
        collector.add(torch.from_numpy(damaged.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2))
        return collector.embeddings()

    real = rows(0.0)
    accuracy = [two_sample_test(rows(strength), real).accuracy for strength in (0.0, 0.5, 2.0)]
    assert TwoSampleTest(correct=round(accuracy[0] * 120), held_out=120).p_exact > 0.001
    assert accuracy[2] > 0.85
    assert accuracy[0] < accuracy[2]


def _crop(draw):
    photo = [data.astronaut(), data.coffee(), data.chelsea()][draw.integers(3)]
    top, left = (int(draw.integers(size - 64)) for size in photo.shape[:2])
    return photo[top : top + 64, left : left + 64]


def _damaged(crop, damage, strength, draw):
    if damage == "blur":
        return gaussian_filter(crop.astype(float), (strength, strength, 0))
    return np.clip(crop + draw.normal(0, 10, crop.shape) * strength, 0, 255)


# What makes it trustworthy


@dataclass
class Spy:
    """Remembers which rows it was trained on and which it scored."""

    trained: list = field(default_factory=list)
    scored: list = field(default_factory=list)

    def fit(self, first, second, *, seed):
        self.trained.append({*first[:, 0], *second[:, 0]})
        self.scored.append(set())
        seen = self.scored[-1]

        def score(vectors):
            seen.update(vectors[:, 0])
            return vectors[:, 0] - 1000.5

        return score


NUMBERED = np.arange(2000, 2037.0)[:, None], np.arange(0, 23.0)[:, None]


def test_held_out_scores_are_of_rows_that_were_not_trained_on():
    spy = Spy()
    scores = held_out_scores(*NUMBERED, classifier=spy)
    assert all(not trained & scored for trained, scored in zip(spy.trained, spy.scored, strict=True))
    assert sorted(number for scored in spy.scored for number in scored) == sorted(np.concatenate(NUMBERED)[:, 0])
    assert (scores.first > 0).all()
    assert (scores.second < 0).all()


def test_the_test_half_was_not_trained_on():
    spy = Spy()
    test = two_sample_test(*NUMBERED, classifier=spy)
    assert not spy.trained[0] & spy.scored[0]
    assert test == TwoSampleTest(correct=22, held_out=22)  # 11 of either, half of the smaller set


def test_held_out_scores_rank_the_odd_ones_first():
    draw = np.random.default_rng(0)
    new, known = draw.normal(size=(80, 3)), draw.normal(size=(80, 3))
    new[:8] += 6
    scores = held_out_scores(new, known)
    assert set(np.argsort(-scores.first)[:8]) == set(range(8))


def test_scores_without_a_difference_rank_nothing():
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(100, 60)), draw.normal(size=(100, 60))
    scores = held_out_scores(first, second)
    score = NeuralClassifier().fit(first, second, seed=0)
    assert (scores.first[:, None] > scores.second).mean() == pytest.approx(0.5, abs=0.13)
    assert (score(first)[:, None] > score(second)).mean() > 0.95  # the control saw the rows


def test_same_seed_same_test_and_no_global_state():
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(60, 5)) + 0.3, draw.normal(size=(60, 5))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    tests = [two_sample_test(first, second, seed=seed) for seed in (3, 3)]
    assert tests[0] == tests[1]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert two_sample_test(first, second, seed=3) == tests[0]


def test_a_dimension_without_spread_does_no_harm():
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(60, 3)) + 2, draw.normal(size=(60, 3))
    first[:, 1] = second[:, 1] = 4
    assert two_sample_test(first, second).accuracy > 0.9


@pytest.mark.parametrize(("first", "second"), [((3, 2), (50, 2)), ((50, 2), (50, 3))])
@pytest.mark.parametrize("run", [two_sample_test, held_out_scores])
def test_what_cannot_be_compared_is_refused(first, second, run):
    with pytest.raises(ConfigurationError):
        run(np.zeros(first), np.zeros(second))
