"""What contestants scored over cases: as a table with standard errors, as JSON, and in order."""

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import description
from pipelines.scoring.judge import mean_score
from pipelines.scoring.measures import JUDGE

SECONDS = "s/MP"
"""Seconds by the clock for a megapixel of the answer."""
CPU_SECONDS = "CPU s/MP"
"""Seconds of computing, all threads together: what other programs take of a busy machine does not count."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A figure as the table shows it: the mean ± its standard error; or the median, of times, which have outliers."""

    key: str
    label: str
    digits: int
    is_median: bool = False


PERCEPTUAL = Column(key="perceptual", label=f"perceptual distance ({JUDGE})", digits=4)
TIME = Column(key=CPU_SECONDS, label=CPU_SECONDS, digits=3, is_median=True)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One contestant's figures, each with a number a case, in the order of the cases."""

    name: str
    each: Mapping[str, tuple[float, ...]]

    def only(self, which: Sequence[int]) -> "Standing":
        """Of some of the cases."""
        return Standing(name=self.name, each={key: tuple(v[i] for i in which) for key, v in self.each.items()})

    def mean(self, key: str) -> float:
        """Over the cases."""
        return mean_score(np.array(self.each[key])).value


def markdown(standings: Sequence[Standing], columns: Sequence[Column], *, before: str = "") -> str:
    """The table as people read it: a contestant a row; `before` heads their names."""
    lines = [[before, *(column.label for column in columns)], ["---"] * (len(columns) + 1)]
    lines += [[standing.name, *(_cell(standing, column) for column in columns)] for standing in standings]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(standing: Standing, column: Column) -> str:
    values = np.array(standing.each[column.key])
    if column.is_median:
        return f"{np.median(values):.{column.digits}f}"
    score = mean_score(values)
    error = "" if score.standard_error is None else f" ± {score.standard_error:.{column.digits}f}"
    return f"{score.value:.{column.digits}f}{error}"


def named(standings: Sequence[Standing], name: str) -> Standing:
    """The contestant of this name."""
    return next(standing for standing in standings if standing.name == name)


def gains(standings: Sequence[Standing], key: str, name: str, over: str) -> tuple[float, ...]:
    """How much more of a figure one contestant has than another, case by case."""
    ours, theirs = (named(standings, each).each[key] for each in (name, over))
    return tuple(one - other for one, other in zip(ours, theirs, strict=True))


def with_gains(standings: Sequence[Standing], key: str, over: str) -> list[Standing]:
    """The same with the figure `gain` over another contestant, whose standard error is that of pairs."""
    return [
        Standing(name=each.name, each={**each.each, "gain": gains(standings, key, each.name, over)})
        for each in standings
    ]


def by_rank(figures: Sequence[float], share: float) -> int:
    """Which case stands at this share of the order, from the least figure: the nearest rank."""
    order = np.argsort(figures, kind="stable")
    return int(order[round(share * (len(order) - 1))])


def keep(path: Path | None, cases: Sequence[str], standings: Sequence[Standing], *, threads: int) -> None:
    """Write all figures as JSON, with the machine and the command, where a file is named."""
    if path is None:
        return
    document = {
        "command": shlex.join(["python", "-m", *_module(), *sys.argv[1:]]),
        "machine": description(torch.device("cpu"), threads),
        "cases": list(cases),
        "contestants": [
            {"mean": {key: standing.mean(key) for key in standing.each}, **asdict(standing)} for standing in standings
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _module() -> Iterator[str]:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    yield spec.name if spec is not None else Path(sys.argv[0]).stem
