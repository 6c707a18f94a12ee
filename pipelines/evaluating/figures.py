"""The figures of an evaluation as lines: a name, what was measured, what a perfect generator would have, and units."""

from dataclasses import dataclass

from pipelines.evaluating.comparing import Comparison
from pipelines.evaluating.evaluation import Evaluation
from translate.metrics.manifold import COVERAGE_NEIGHBOURS, PRECISION_NEIGHBOURS

COLUMNS = ("figure", "measured", "other real ones", "what it says")


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
    ("KID", "0 where nothing differs; ± standard error"),
    (f"precision (k = {PRECISION_NEIGHBOURS})", "made ones among the real"),
    (f"recall (k = {PRECISION_NEIGHBOURS})", "real ones among the made"),
    (f"density (k = {COVERAGE_NEIGHBOURS})", "1 where nothing differs"),
    (f"coverage (k = {COVERAGE_NEIGHBOURS})", "real ones with a made one near by"),
    ("two-sample accuracy", "50 %: nothing tells them apart"),
    ("diversity", "mean distance of two made / two real"),
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
        return "lower is better, at equal counts"
    return f"too high below {comparison.frechet.dimensions + 1} pictures"
