"""The figures of an evaluation as lines: a name, what was measured, what a perfect generator would have, and units."""

from dataclasses import dataclass

from pipelines.evaluating.comparing import Comparison
from pipelines.evaluating.evaluation import Evaluation
from translate.metrics.manifold import COVERAGE_NEIGHBOURS, PRECISION_NEIGHBOURS


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `reference` is empty where no reference could be had."""

    name: str
    value: str
    reference: str
    meaning: str


def figures(evaluation: Evaluation) -> list[Figure]:
    """All lines, in the order of reading."""
    measured = _values(evaluation.comparison)
    reference = _values(evaluation.reference) if evaluation.reference else [""] * len(measured)
    names = [(evaluation.frechet_name, _frechet_meaning(evaluation.comparison)), *_MEANINGS]
    return [
        Figure(name=name, value=value, reference=beside, meaning=meaning)
        for (name, meaning), value, beside in zip(names, measured, reference, strict=True)
    ]


_MEANINGS = (
    ("KID", "lower is better; ± standard error; unbiased, so 0 where nothing differs"),
    (f"precision (k = {PRECISION_NEIGHBOURS})", "share of what was made that lies among the real"),
    (f"recall (k = {PRECISION_NEIGHBOURS})", "share of the real that lies among what was made"),
    (f"density (k = {COVERAGE_NEIGHBOURS})", "as precision, but sound against outliers; 1 where nothing differs"),
    (f"coverage (k = {COVERAGE_NEIGHBOURS})", "share of the real pictures with something made near by"),
    ("two-sample accuracy", "of a fresh classifier on held-out pictures: 50 % is guessing, 100 % tells all"),
    ("diversity", "mean distance of two made pictures; of two real ones behind the stroke"),
)


def _values(comparison: Comparison) -> list[str]:
    shares = comparison.manifold
    test, (low, high) = comparison.test, comparison.test.interval
    return [
        f"{comparison.frechet.value:.2f}",
        f"{comparison.kernel.value:.3g} ± {comparison.kernel.standard_error:.2g}",
        *(str(share) for share in (shares.precision, shares.recall, shares.density, shares.coverage)),
        f"{test.accuracy:.1%} [{low:.0%}, {high:.0%}], p = {test.p_exact:.2g}",
        f"{comparison.diversity:.3g} / {comparison.real_diversity:.3g}",
    ]


def _frechet_meaning(comparison: Comparison) -> str:
    if comparison.frechet.reliable:
        return "lower is better; depends on the number of pictures"
    return f"lower is better; far too high with fewer pictures than its {comparison.frechet.dimensions} dimensions"
