"""Are two sets of pictures from one distribution? A fresh classifier tries to tell them apart on held-out ones.

The classifier two-sample test of Lopez-Paz and Oquab 2017, "Revisiting Classifier Two-Sample Tests". Where both sets
are one distribution no classifier can do better than a coin on pictures that it never saw, whatever it was trained
on; so the test cries wolf as often as it is asked to, and the better the classifier, the more it sees.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, binomtest, norm

from translate.errors import ConfigurationError
from translate.metrics.distribution import Embeddings
from translate.metrics.two_sample_classifiers import Classifier, NeuralClassifier

FEWEST_FOR_POWER = 20
"""Below so many pictures on a side, a test that finds nothing says nothing."""

_FEWEST = 4
_DEFAULT = NeuralClassifier()


@dataclass(frozen=True, kw_only=True)
class TwoSampleTest:
    """How often the classifier was right on pictures held out from it, half of them of either set."""

    correct: int
    held_out: int

    @property
    def accuracy(self) -> float:
        """0.5 is guessing, 1 tells them apart always; below 0.5 is chance."""
        return self.correct / self.held_out

    @property
    def p_normal(self) -> float:
        """One-sided, by the paper's approximation: accuracy ~ N(1/2, 1 / (4 n)) where nothing differs."""
        return float(norm.sf((self.accuracy - 0.5) * 2 * np.sqrt(self.held_out)))

    @property
    def p_exact(self) -> float:
        """One-sided, by the binomial distribution: the chance that n coins are right at least as often."""
        return float(binom.sf(self.correct - 1, self.held_out, 0.5))

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy, for this classifier."""
        bounds = binomtest(self.correct, self.held_out).proportion_ci(method="wilson")
        return float(bounds.low), float(bounds.high)

    def detectable(self, alpha: float = 0.05) -> float:
        """The least accuracy that would have been significant (exact p below alpha); above 1 where none would."""
        return float(binom.isf(alpha, self.held_out, 0.5) + 1) / self.held_out

    def __str__(self) -> str:
        return f"{self.accuracy:.1%} of {self.held_out} held out (p = {self.p_exact:.2g})"


@dataclass(frozen=True, kw_only=True)
class HeldOutScores:
    """A score for every row by a classifier that never saw it: above 0, it looks more like the first set."""

    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]


def two_sample_test(
    first: Embeddings, second: Embeddings, *, classifier: Classifier = _DEFAULT, seed: int = 0
) -> TwoSampleTest:
    """Train on one half, count on the other.

    Held out are as many of either set: half of the smaller one. All others are trained on, both sets weighing the same.

    Args:
        first: N x D.
        second: M x D.
        classifier: Trained afresh.
        seed: Draws the halves and the classifier's first weights.

    Raises:
        ConfigurationError: Fewer than 4 rows on a side, or different dimensions.
    """
    _require_comparable(first, second)
    draw = np.random.default_rng(seed)
    first, second = draw.permutation(first), draw.permutation(second)
    held = min(len(first), len(second)) // 2
    score = classifier.fit(first[held:], second[held:], seed=seed)
    return counted(score(first[:held]), score(second[:held]))


def counted(first: Embeddings, second: Embeddings) -> TwoSampleTest:
    """The test that follows from scores of held-out rows of both sets; a score of 0 says second."""
    correct = int((first > 0).sum() + (second <= 0).sum())
    return TwoSampleTest(correct=correct, held_out=len(first) + len(second))


def held_out_scores(
    first: Embeddings,
    second: Embeddings,
    *,
    classifier: Classifier = _DEFAULT,
    folds: int = 5,
    seed: int = 0,
) -> HeldOutScores:
    """Score every row by a classifier trained on the other folds (cross-fitting), to rank what tells the sets apart.

    Each fold has a classifier of its own; scores are divided by their spread in the fold, so that they compare.
    No p-value follows from them: folds share their training rows, so that their errors are not independent.

    Args:
        first: N x D.
        second: M x D.
        classifier: Trained afresh for every fold.
        folds: How many; fewer where a set has fewer rows.
        seed: Draws the folds and the classifiers' first weights.

    Raises:
        ConfigurationError: Fewer than 4 rows on a side, or different dimensions.
    """
    _require_comparable(first, second)
    draw = np.random.default_rng(seed)
    folds = min(folds, len(first), len(second))
    first_fold, second_fold = (draw.permutation(np.arange(len(rows)) % folds) for rows in (first, second))
    scores = HeldOutScores(first=np.empty(len(first)), second=np.empty(len(second)))
    for fold in range(folds):
        in_first, in_second = first_fold == fold, second_fold == fold
        score = classifier.fit(first[~in_first], second[~in_second], seed=seed + fold)
        of_first, of_second = score(first[in_first]), score(second[in_second])
        scale = np.abs(np.concatenate([of_first, of_second])).mean() or 1.0
        scores.first[in_first], scores.second[in_second] = of_first / scale, of_second / scale
    return scores


def _require_comparable(first: Embeddings, second: Embeddings) -> None:
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ConfigurationError(
            f"Cannot compare vectors of shapes {first.shape} and {second.shape}: give two sets of one kind"
        )
    if min(len(first), len(second)) < _FEWEST:
        raise ConfigurationError(
            f"A two-sample test needs at least {_FEWEST} of either set, better hundreds; given were {len(first)} and "
            f"{len(second)}"
        )
