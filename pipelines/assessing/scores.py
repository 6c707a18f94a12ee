"""Scores of contestants as lines of the table, and as plain data."""

import math
from collections.abc import Iterable
from dataclasses import asdict

from pipelines.evaluating.documents import Document
from pipelines.evaluating.figures import Figure
from pipelines.scoring.judge import Score
from pipelines.scoring.measures import MEASURES
from pipelines.training.generation.contestants import OURS, REAL, Contestants


def figures_of(contestants: Contestants) -> Iterable[Figure]:
    """A line a measure of the model, beside training samples."""
    beside = contestants.get(REAL, {})
    for name, score in contestants.get(OURS, {}).items():
        measure = MEASURES[name]
        unit = f" ({measure.unit})" if measure.unit else ""
        reference = _words(beside[name]) if name in beside else ""
        yield Figure(name=measure.label + unit, value=_words(score), reference=reference, meaning=measure.meaning)


def document_of(contestants: Contestants) -> Document:
    """Every score by contestant and measure."""
    return {label: {name: asdict(score) for name, score in scores.items()} for label, scores in contestants.items()}


def _words(score: Score) -> str:
    """A reverse KL is infinite where no sample is at any mode."""
    if math.isnan(score.value):
        return "undefined"
    if math.isinf(score.value):
        return "infinite" if score.value > 0 else "minus infinite"
    error = "" if score.standard_error is None else f" ± {score.standard_error:.2g}"
    return f"{score.value:.4g}{error}"
