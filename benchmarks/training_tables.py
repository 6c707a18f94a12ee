"""The training benchmark's tables, in Markdown, and its figures as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.contenders import PLAIN, SHIPPED, Workload, as_it_ships
from benchmarks.timing import Timing
from benchmarks.training_growth import Growth
from benchmarks.tricks import TRICKS, alone, is_on, switched

CONTENDERS: Final = (
    "| system | px | batch | contender | ms an iteration (quartiles) | pictures/s | times reference | share of peak | "
    "peak memory MB |\n|---|---|---|---|---|---|---|---|---|"
)
"""Head of the lines that rows have."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One contender."""

    system: str
    size_px: int
    batch_size: int
    contender: str
    precision: str
    seconds: Timing
    times_reference: float
    share_of_peak: float | None
    memory_mb: float | None

    @property
    def workload(self) -> Workload:
        """What was done."""
        return Workload(system=self.system, size_px=self.size_px, batch_size=self.batch_size)

    @property
    def where(self) -> str:
        """The same in words."""
        return f"{self.system}, {self.size_px} px, batch {self.batch_size}"

    @property
    def line(self) -> str:
        """Of the table of contenders."""
        share = "" if self.share_of_peak is None else f"{self.share_of_peak:.0%} of {self.precision}"
        memory = "" if self.memory_mb is None else f"{self.memory_mb:,.0f}"
        rate = self.batch_size / self.seconds.median_sec
        cells = (self.system, self.size_px, self.batch_size, self.contender, _milliseconds(self.seconds))
        return f"| {' | '.join(map(str, cells))} | {rate:.2f} | {self.times_reference:.2f} | {share} | {memory} |"


def ladder(rows: Sequence[Row], device: torch.device) -> Iterator[str]:
    """What each trick gains where nothing else is on, and what it adds to all the others."""
    yield "| system | px | batch | trick | off by | ships | gain alone | gain beside the others |"
    yield "|---|---|---|---|---|---|---|---|"
    for work in dict.fromkeys(row.workload for row in rows):
        seconds = {row.contender: row.seconds.median_sec for row in rows if row.workload == work}
        yield from _gains(work, seconds, device)


def _gains(work: Workload, seconds: Mapping[str, float], device: torch.device) -> Iterator[str]:
    shipped = as_it_ships(work, device)
    for trick in TRICKS:
        if alone(trick) not in seconds:
            continue
        ships, other = is_on(trick, shipped), seconds[switched(trick, shipped)]
        gain = seconds[PLAIN] / seconds[alone(trick)]
        last = other / seconds[SHIPPED] if ships else seconds[SHIPPED] / other
        words = f"{trick.words} | `{trick.option}` | {'on' if ships else 'off'}"
        yield f"| {work.system} | {work.size_px} | {work.batch_size} | {words} | {gain:.2f} | {last:.2f} |"


def costs(grown: Sequence[Growth]) -> Iterator[str]:
    """What a picture costs at each size and in each batch."""
    if grown:
        yield "| system | contender | ms a picture, as | grows | exponent (1: linear) |\n|---|---|---|---|---|"
    for part in grown:
        points = ", ".join(f"{1e3 * sec:,.0f} at {at:,}" for at, sec in zip(part.at, part.seconds, strict=True))
        yield f"| {part.system} | {part.contender} | {points} | {part.what} | {part.exponent:.2f} |"


def _milliseconds(timing: Timing) -> str:
    return f"{1e3 * timing.median_sec:,.0f} ({1e3 * timing.lower_sec:,.0f} to {1e3 * timing.upper_sec:,.0f})"


def write(
    path: Path | None, machine: str, peaks: Mapping[str, float], rows: Sequence[Row], grown: Sequence[Growth]
) -> None:
    """All figures, where a file is wanted."""
    if path is None:
        return
    document: dict[str, Any] = {
        "machine": machine,
        "peak_flops": peaks,
        "contenders": [asdict(row) for row in rows],
        "growth": [asdict(part) | {"exponent": part.exponent} for part in grown],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
