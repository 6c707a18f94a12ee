"""The table of scores: contestants by metrics, laid so that it fits the window."""

import math
from collections.abc import Iterable, Iterator, Mapping

from pipelines.report.markup import Markup, join, tag
from pipelines.report.model import Estimate, Metric, ScoreRow, ScoreTable
from pipelines.report.numbers import MISSING, best_mean, column_decimals, plural

MOST_COLUMNS = 6
"""More metrics than these become rows, so that nothing lies outside of the window."""
_NOTE = "Mean over pictures \u00b1 standard error of that mean. The best by every metric is in bold."


def score_table(table: ScoreTable) -> Markup:
    """Mean and standard error of every contestant by every metric, the best in bold.

    A few metrics are columns, many are rows.
    """
    lines = _by_contestant(table) if len(table.metrics) <= MOST_COLUMNS else _by_metric(table)
    head, *body = (tag("tr", {}, *line) for line in lines)
    scroll = tag("div", {"class": "panel scroll"}, tag("table", {}, tag("thead", {}, head), tag("tbody", {}, *body)))
    return join((scroll, tag("p", {"class": "muted small"}, _NOTE)))


def _by_contestant(table: ScoreTable) -> Iterator[list[Markup]]:
    """The head, then a line a contestant."""
    yield [_corner("Contestant"), *(_metric_head(metric, "col") for metric in table.metrics)]
    figures = [_figures(table, metric) for metric in table.metrics]
    for row, cells in zip(table.rows, zip(*figures, strict=True), strict=True):
        yield [_contestant(row, "row"), *cells]


def _by_metric(table: ScoreTable) -> Iterator[list[Markup]]:
    """The head, then a line a metric."""
    yield [_corner("Metric"), *(_contestant(row, "col") for row in table.rows)]
    for metric in table.metrics:
        yield [_metric_head(metric, "row"), *_figures(table, metric)]


def _corner(word: str) -> Markup:
    return tag("th", {"scope": "col"}, word)


def _figures(table: ScoreTable, metric: Metric) -> list[Markup]:
    """A cell for every contestant, with as many decimals as they all need."""
    estimates = [row.values.get(metric.name) for row in table.rows]
    known = [estimate for estimate in estimates if estimate is not None]
    best, decimals = best_mean(known, metric.better), column_decimals(known)
    return [
        tag("td", _marked(row), *_figure(estimate, best, decimals))
        for row, estimate in zip(table.rows, estimates, strict=True)
    ]


def _figure(estimate: Estimate | None, best: float | None, decimals: int) -> Iterable[Markup | str]:
    if estimate is None or not math.isfinite(estimate.mean):
        return [MISSING]
    figure = _rounded(estimate.mean, decimals)
    strong = tag("strong", {}, figure) if estimate.mean == best else tag("span", {}, figure)
    if estimate.standard_error is None:
        return [strong]
    return [strong, tag("span", {"class": "error-of-mean"}, f" \u00b1 {estimate.standard_error:.{decimals}f}")]


def _rounded(mean: float, decimals: int) -> str:
    """Nothing but 0 is written as 0: a p-value may be far below its neighbours'."""
    figure = f"{mean:,.{decimals}f}"
    return f"{mean:.2g}" if mean and not float(figure.replace(",", "")) else figure


def _metric_head(metric: Metric, scope: str) -> Markup:
    arrow = "\u2193" if metric.better == "lower" else "\u2191"
    unit = f" ({metric.unit})" if metric.unit else ""
    note = f"{metric.better} is better, {plural(metric.pictures, 'picture')}"
    return tag("th", {"scope": scope}, f"{metric.name}{unit} {arrow}", tag("small", {}, note))


def _contestant(row: ScoreRow, scope: str) -> Markup:
    badge = tag("span", {"class": "badge"}, "this run") if row.ours else ""
    return tag("th", {"scope": scope, **_marked(row)}, row.name, badge)


def _marked(row: ScoreRow) -> Mapping[str, str]:
    return {"class": "ours"} if row.ours else {}
