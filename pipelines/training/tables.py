"""The table of scores in a report: a row a contestant, a column a measure."""

from collections.abc import Mapping
from typing import Final

from pipelines.report import Estimate, Metric, ScoreRow, ScoreTable
from pipelines.scoring.judge import Score
from pipelines.scoring.measures import MEASURES

OURS: Final = "this model"
"""The label of the run's own model among contestants."""


def metrics_of(scores: Mapping[str, Score]) -> tuple[Metric, ...]:
    """The columns of these scores, by the names of their measures."""
    return tuple(
        Metric(
            name=MEASURES[name].label, better=MEASURES[name].better, unit=MEASURES[name].unit, pictures=score.pictures
        )
        for name, score in scores.items()
    )


def row_of(name: str, scores: Mapping[str, Score], *, ours: bool) -> ScoreRow:
    """One contestant's scores."""
    values = {
        MEASURES[measure].label: Estimate(mean=score.value, standard_error=score.standard_error)
        for measure, score in scores.items()
    }
    return ScoreRow(name=name, values=values, ours=ours)


def table_of(columns: Mapping[str, Score], rows: tuple[ScoreRow, ...]) -> ScoreTable:
    """A table with the measures of `columns`."""
    return ScoreTable(metrics=metrics_of(columns), rows=rows)
