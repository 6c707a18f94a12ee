"""The report of a training run: one HTML file that needs nothing else. No torch here."""

from pipelines.report.curves import group_series
from pipelines.report.model import (
    Chart,
    Command,
    DataSummary,
    Estimate,
    Example,
    Finding,
    Metric,
    Report,
    ScoreRow,
    ScoreTable,
    Series,
)
from pipelines.report.page import write_report

__all__ = [
    "Chart",
    "Command",
    "DataSummary",
    "Estimate",
    "Example",
    "Finding",
    "Metric",
    "Report",
    "ScoreRow",
    "ScoreTable",
    "Series",
    "group_series",
    "write_report",
]
