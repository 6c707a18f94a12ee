"""What a report says, as plain data: nothing here knows of HTML, and nothing needs torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Severity = Literal["good", "info", "warning", "error"]
Better = Literal["lower", "higher"]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sentence that a reader should take away, how good or bad it is, and what to do about it."""

    severity: Severity
    message: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A column of the score table: what was measured, in which unit, over how many pictures."""

    name: str
    better: Better
    pictures: int
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over pictures and the standard error of that mean (None where there is none, as for an FID)."""

    mean: float
    standard_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """What one contestant scored, by metric name; `ours` marks the model of this run among its baselines."""

    name: str
    values: Mapping[str, Estimate]
    ours: bool = False


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """The model of this run and its baselines (rows) by metric (columns)."""

    metrics: tuple[Metric, ...]
    rows: tuple[ScoreRow, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One picture that came out, what went in (None for what was made of noise), and what was wanted (None: unknown).

    Pictures are uint8, height x width x channels with 1 (grey), 3 (RGB) or 4 (RGBA) channels, or height x width.
    `extra` are further pictures by name (a cycle's reconstruction, a baseline); `scores` are those of `output`.
    """

    key: str
    output: Pixels
    input: Pixels | None = None
    truth: Pixels | None = None
    extra: Mapping[str, Pixels] = field(default_factory=dict[str, Pixels])
    scores: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, kw_only=True)
class Series:
    """One curve: (images seen, value) in rising order; values that are not finite are drawn as gaps."""

    name: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves that share one pair of axes; `better` says which way is good, where one way is."""

    title: str
    series: tuple[Series, ...]
    unit: str = ""
    better: Better | None = None


@dataclass(frozen=True, kw_only=True)
class DataSummary:
    """The data set: how the folder was understood, pictures by split, licence, and what the doctor found.

    `problems` is None where no doctor looked, and empty where nothing was found.
    """

    description: str
    pictures: Mapping[str, int]
    licence: str = ""
    problems: tuple[Finding, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something to do next: the words for it and the line to paste into a shell."""

    purpose: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that is told of one training run. What is empty or None is left out of the page.

    `status` says how the run ended and `outcome` how good that is. `health` is None where nothing was checked and
    empty where nothing was found. `examples_note` says which pictures the examples are. Examples are sorted by their
    first score, worst first; `examples_better` says which way is good for scores that are no metric of the table.
    """

    title: str
    method: str
    name: str
    status: str
    started: datetime
    minutes: float
    outcome: Severity = "good"
    verdicts: tuple[Finding, ...] = ()
    scores: ScoreTable | None = None
    examples: tuple[Example, ...] = ()
    examples_note: str = ""
    examples_better: Mapping[str, Better] = field(default_factory=dict[str, Better])
    charts: tuple[Chart, ...] = ()
    health: tuple[Finding, ...] | None = None
    data: DataSummary | None = None
    recipe: Mapping[str, object] = field(default_factory=dict[str, object])
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    next_steps: tuple[Command, ...] = ()
