"""Figures of several runs as a table: mean and spread."""

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

Figures = Mapping[str, float]
"""What was measured of one run, by name with its unit."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which runs."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folders of runs that differ in their seed alone."""
    json: Path | None = None
    """Write the figures to this file as well."""
    seed: int = 0
    """Of the samples that are drawn from each run."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure over the runs; the spread is NaN for a single run."""

    name: str
    mean: float
    spread: float
    each: tuple[float, ...]


def rows(measured: Sequence[Figures]) -> list[Row]:
    """A row a figure, in the order of the first run. Every run must have the same figures."""
    names = list(measured[0])
    if any(set(figures) != set(names) for figures in measured):
        raise ValueError(f"The runs were not measured alike: {[list(figures) for figures in measured]}")
    return [_row(name, [figures[name] for figures in measured]) for name in names]


def _row(name: str, each: Sequence[float]) -> Row:
    spread = statistics.stdev(each) if len(each) > 1 else math.nan
    return Row(name=name, mean=statistics.fmean(each), spread=spread, each=tuple(each))


def markdown(table: Sequence[Row], runs: Sequence[str]) -> str:
    """The table as people read it."""
    head = ["figure", "mean ± spread", *runs]
    lines = [head, ["---"] * len(head)]
    for row in table:
        mean = _short(row.mean) if math.isnan(row.spread) else f"{_short(row.mean)} ± {_short(row.spread)}"
        lines.append([row.name, mean, *map(_short, row.each)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(number: float) -> str:
    return f"{number:.4g}"


def report(options: Options, measure: Callable[[Path], Figures]) -> None:
    """Measure every run, print the table, and write it down where that is asked for."""
    table = rows([measure(run) for run in options.runs])
    names = [run.name for run in options.runs]
    print(markdown(table, names))
    if options.json:
        document = {"runs": names, "rows": [asdict(row) for row in table]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
