"""A report's figures as a file, so that a model card can tell them without scoring again. No pictures."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.report.model import Estimate, Finding, Metric, Report, ScoreRow, ScoreTable
from translate.storage.atomic import write_atomically

_WORST = 3


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a report found: verdicts, scores, health, and the keys and scores of the worst pictures."""

    status: str
    verdicts: tuple[Finding, ...]
    scores: ScoreTable | None
    health: tuple[Finding, ...] | None
    worst: tuple[tuple[str, str, float], ...]
    """Key, measure and score of the pictures that came out worst by the first measure."""


def write_figures(path: Path, report: Report) -> None:
    """Write a report's figures as JSON. Raises StorageError where there is no room."""
    write_atomically(path, json.dumps(asdict(_figures_of(report)), indent=1))


def read_figures(path: Path) -> Figures | None:
    """The figures, or None where there is no such file or another version wrote it."""
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _figures_of(report: Report) -> Figures:
    return Figures(
        status=report.status,
        verdicts=report.verdicts,
        scores=report.scores,
        health=report.health,
        worst=_worst(report),
    )


def _worst(report: Report) -> tuple[tuple[str, str, float], ...]:
    """The worst examples by the table's first measure that single pictures have."""
    for metric in report.scores.metrics if report.scores else ():
        scored = [
            (one.key, metric.name, one.scores[metric.name]) for one in report.examples if metric.name in one.scores
        ]
        if scored:
            return tuple(sorted(scored, key=lambda each: each[2], reverse=metric.better == "lower")[:_WORST])
    return ()


def _read(document: dict[str, Any]) -> Figures:
    health = document["health"]
    return Figures(
        status=document["status"],
        verdicts=tuple(Finding(**each) for each in document["verdicts"]),
        scores=_read_table(document["scores"]) if document["scores"] else None,
        health=None if health is None else tuple(Finding(**each) for each in health),
        worst=tuple((key, measure, value) for key, measure, value in document["worst"]),
    )


def _read_table(document: dict[str, Any]) -> ScoreTable:
    return ScoreTable(
        metrics=tuple(Metric(**each) for each in document["metrics"]),
        rows=tuple(
            ScoreRow(
                name=row["name"],
                values={name: Estimate(**value) for name, value in row["values"].items()},
                ours=row["ours"],
            )
            for row in document["rows"]
        ),
    )
