"""Curves: smoothed and thinned here, drawn as SVG by the page's script, which knows how wide the reader's window is."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from pipelines.report.markup import Markup, json_block, tag
from pipelines.report.model import Better, Chart, Series
from pipelines.report.numbers import MISSING, count, plural, significant

_SMOOTH_FROM_POINTS = 60
_NOISY_FROM_TURNS = 0.2
_WINDOWS_A_RUN = 40
_BUCKETS = 240
_COLOURS = 8
_EXTREME: Mapping[Better, str] = {"lower": "lowest", "higher": "highest"}


def group_series(
    series: Mapping[str, Sequence[tuple[int, float]]],
    apart: tuple[str, ...] = ("validation",),
    better: Mapping[str, Better] | None = None,
) -> tuple[Chart, ...]:
    """Charts from named curves: names `group/name` share a chart, but those of the groups `apart` get one each.

    Losses of one network belong together; validation metrics have units of their own, and those that `better` names
    (without their group) a best value.
    """
    charts: dict[str, list[Series]] = {}
    for name, points in series.items():
        group, _, rest = name.rpartition("/")
        title = name.replace("/", ": ") if group in apart or not group else group
        charts.setdefault(title, []).append(Series(name=rest, points=tuple(points)))
    ways = better or {}
    return tuple(
        Chart(title=title, series=tuple(curves), better=ways.get(curves[0].name) if len(curves) == 1 else None)
        for title, curves in charts.items()
    )


def moving_average(values: Sequence[float]) -> list[float]:
    """Exponential moving average over about a fortieth of the run, without bias to zero at its start.

    Values that are not finite are passed on as they are and do not count.
    """
    keep = 1 - 1 / max(5.0, len(values) / _WINDOWS_A_RUN)
    total = weight = 0.0
    averages: list[float] = []
    for value in values:
        if math.isfinite(value):
            total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        averages.append(total / weight if math.isfinite(value) else value)
    return averages


def is_noisy(values: Sequence[float]) -> bool:
    """Whether a curve is long and changes direction often: a loss does, a learning rate or a best-so-far does not."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < _SMOOTH_FROM_POINTS:
        return False
    steps = [later - earlier for earlier, later in pairwise(finite)]
    turns = sum(one * other < 0 for one, other in pairwise(steps))
    return turns > _NOISY_FROM_TURNS * len(steps)


def thin(values: Sequence[float], buckets: int = _BUCKETS) -> list[int]:
    """Indices worth drawing: of each bucket the least, the greatest and the first that is not finite; the ends."""
    if len(values) <= 2 * buckets:
        return list(range(len(values)))
    edges = [round(bucket * len(values) / buckets) for bucket in range(buckets + 1)]
    kept = {0, len(values) - 1}
    for start, stop in pairwise(edges):
        kept.update(_extremes(values, range(start, stop)))
    return sorted(kept)


def _extremes(values: Sequence[float], indices: Sequence[int]) -> set[int]:
    finite = [index for index in indices if math.isfinite(values[index])]
    broken = [index for index in indices if not math.isfinite(values[index])]
    found = set(broken[:1])
    if finite:
        found |= {min(finite, key=values.__getitem__), max(finite, key=values.__getitem__)}
    return found


def chart_figure(chart: Chart) -> Markup:
    """A chart: title, a place of fixed height for the drawing, a legend with the figures, and the data."""
    unit = f" ({chart.unit})" if chart.unit else ""
    log = tag("button", {"type": "button", "class": "chip", "data-log": True, "aria-pressed": "false"}, "Log scale")
    head = tag("div", {"class": "chart-head"}, tag("h3", {}, f"{chart.title}{unit}"), log)
    plot = tag("div", {"class": "plot", "tabindex": 0, "role": "img", "aria-label": _spoken(chart)})
    legend_entries = (_legend_entry(index, series, chart.better) for index, series in enumerate(chart.series))
    legend = tag("ul", {"class": "legend"}, *legend_entries)
    data = json_block([_drawn(series) for series in chart.series], "chart-data")
    return tag("figure", {"class": "panel chart"}, head, plot, legend, _gaps_note(chart), data)


def _drawn(series: Series) -> dict[str, object]:
    values = [value for _, value in series.points]
    kept = thin(values)
    smooth = moving_average(values) if is_noisy(values) else None
    return {
        "name": series.name,
        "x": [series.points[index][0] for index in kept],
        "raw": [_rounded(values[index]) for index in kept],
        "smooth": smooth and [_rounded(smooth[index]) for index in kept],
    }


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _legend_entry(index: int, series: Series, better: Better | None) -> Markup:
    swatch = tag("i", {"class": f"swatch c{index % _COLOURS}"})
    toggle = {"type": "button", "aria-pressed": "true", "data-series": index, "title": "Show or hide this curve"}
    best = tag("span", {"class": "muted"}, f", best ({_EXTREME[better]}) {_best(series, better)}") if better else ""
    return tag("li", {}, tag("button", toggle, swatch, series.name, " ", tag("b", {}, _last(series)), best))


def _last(series: Series) -> str:
    """The value that the run ended with, smoothed where the curve is."""
    values = [value for _, value in series.points]
    shown = moving_average(values) if is_noisy(values) else values
    return next((significant(value, 3) for value in reversed(shown) if math.isfinite(value)), MISSING)


def _best(series: Series, better: Better) -> str:
    finite = [(value, images) for images, value in series.points if math.isfinite(value)]
    if not finite:
        return MISSING
    value, images = min(finite) if better == "lower" else max(finite)
    return f"{significant(value, 3)} at {count(images)} images"


def _spoken(chart: Chart) -> str:
    ends = ", ".join(f"{series.name} ends at {_last(series)}" for series in chart.series)
    return f"Chart of {chart.title} over images seen: {ends}"


def _gaps_note(chart: Chart) -> Markup:
    broken = [images for series in chart.series for images, value in series.points if not math.isfinite(value)]
    if not broken:
        return Markup("")
    text = f"Not finite, drawn as gaps: {plural(len(broken), 'value')}, the first at {count(min(broken))} images."
    return tag("p", {"class": "muted small"}, text)
