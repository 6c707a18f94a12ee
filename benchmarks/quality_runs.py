"""Trainings and their scores: kept in a file, and as a table."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

MEASURES: Final = ("l1", "psnr", "perceptual", "kid")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training and what came of it; seconds are of training alone, on the clock and of the processor."""

    system: str
    contender: str
    seed: int
    seconds: float
    cpu_seconds: float
    scores: dict[str, float]


def known(path: Path | None) -> list[Run]:
    """The runs that lie in this file; none where there is none."""
    if path is None or not path.exists():
        return []
    return [Run(**run) for run in json.loads(path.read_text(encoding="utf-8"))]


def keep(runs: Sequence[Run], path: Path | None) -> None:
    """Write them, where a file is wanted."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([asdict(run) for run in runs], indent=1), encoding="utf-8")


def table(runs: Sequence[Run], reference: str) -> Iterator[str]:
    """Means and standard deviations over the seeds, and how far each mean is from the reference's, in such units."""
    names = [name for name in MEASURES if all(name in run.scores for run in runs)]
    head = " | ".join(f"{name} | from the reference" for name in names)
    yield f"| system | contender | seeds | {head} | CPU minutes |\n|---|---|---|{'---|---|' * len(names)}---|"
    for system, contender in dict.fromkeys((run.system, run.contender) for run in runs):
        ours = [run for run in runs if (run.system, run.contender) == (system, contender)]
        base = [run for run in runs if (run.system, run.contender) == (system, reference)]
        cells = " | ".join(_cell(name, ours, base) for name in names)
        minutes = statistics.mean(run.cpu_seconds for run in ours) / 60
        yield f"| {system} | {contender} | {len(ours)} | {cells} | {minutes:.1f} |"


def _cell(name: str, ours: Sequence[Run], base: Sequence[Run]) -> str:
    values, theirs = ([run.scores[name] for run in part] for part in (ours, base))
    distance = "" if not theirs or ours == base else distance_in_spreads(values, theirs)
    return f"{statistics.mean(values):.4g} ± {_spread(values):.2g} | {distance}"


def _spread(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def distance_in_spreads(values: Sequence[float], theirs: Sequence[float]) -> str:
    """The difference of the means, and in standard deviations of one run."""
    difference = statistics.mean(values) - statistics.mean(theirs)
    spread = (0.5 * (_spread(values) ** 2 + _spread(theirs) ** 2)) ** 0.5
    return f"{difference:+.3g}" + (f" ({difference / spread:+.1f} spreads)" if spread else "")
