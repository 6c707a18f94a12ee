"""`compare_ways`: a model through every engine that is there, at several sizes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import tyro

from pipelines.benching.models.closeness import bar_of
from pipelines.benching.models.pictures import example_beside
from pipelines.benching.models.probe import Fresh, fresh
from pipelines.benching.models.results import ModelResults, Row, Stream
from pipelines.benching.models.subjects import Samples, Subject, subject_of
from pipelines.benching.models.ways import Model, Way, model_named, ways
from pipelines.benching.timing import Call, Clock, race
from pipelines.benching.watching import Watch, first_line
from pipelines.runs import RUNS
from translate.errors import ConfigurationError, PixturnError, require
from translate.export.agreement import compare_numbers

SIZES_PX: Final = (256, 512, 1024)
BATCHES: Final = (2, 4, 8)
_TOGETHER_PIXELS: Final = 2_000_000
"""Larger calls gain nothing, and take memory."""
_PROBE_UNITS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Times one picture and a stream of them, from pixels in memory to pixels in memory, on every engine that is there.

    With load time, the first picture of a fresh process, its memory, and how far the picture is from that of ONNX
    Runtime in fp32. Files beside it that hold the same model in int8, fp16 or with pixels in and out are timed too.
    """

    sizes_px: Annotated[
        tuple[int, ...] | None,
        tyro.conf.arg(metavar="P...", help_behavior_hint=f"(default: {' '.join(map(str, SIZES_PX))})"),
    ] = None
    """Sides of the square pictures. Not for what makes pictures out of noise: that has a size of its own."""
    batches: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N...")] = BATCHES
    """Pictures that go through together, to be tried beside one; fewer where they are large."""
    rounds: int = 5
    """Timed turns of each."""
    picture: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: the bundle's example)")
    ] = None
    """A real picture for the comparison with fp32."""
    fresh: bool = True
    """Start a process for each engine, for its first picture and its memory."""
    direction: Annotated[str | None, tyro.conf.arg(metavar="DIRECTION", help_behavior_hint="(default: AtoB)")] = None
    """Which generator of a run: AtoB, or BtoA where the method has it."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Folder of the runs."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be."""
        require(self.rounds >= 1, "rounds", self.rounds, "at least 1")
        smallest = min(SIZES_PX if self.sizes_px is None else self.sizes_px, default=0)
        require(smallest >= 1, "sizes-px", smallest, "at least 1 px")
        require(min(self.batches, default=1) >= 1, "batches", min(self.batches, default=1), "at least 1")


def compare_ways(name: str, options: ModelOptions, watch: Watch) -> ModelResults:
    """Measure a model; what a signal cut short is left out.

    Raises:
        ModelError: there is no such model, or none of its ways works.
        ConfigurationError: it neither turns pictures into pictures nor makes any, or an option is not for it.
        PictureError: the picture is refused.
    """
    model = model_named(name, runs=options.runs, direction=options.direction)
    found, missing = ways(model)
    comparison = _Comparison(model, options, watch, time.perf_counter)
    comparison.open(found)
    comparison.require_sensible()
    comparison.measure()
    return comparison.results(missing)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Opened:
    subject: Subject
    load_sec: float


class _Comparison:
    def __init__(self, model: Model, options: ModelOptions, watch: Watch, clock: Clock) -> None:
        self._model, self._options, self._watch, self._clock = model, options, watch, clock
        self._picture = options.picture or (example_beside(model.files[0]) if model.files else None)
        self._opened: dict[Way, _Opened] = {}
        self._rows: dict[Way, Row] = {}
        self._failed: list[str] = []

    def open(self, found: Sequence[Way]) -> None:
        """Load the model each way; a way that cannot be becomes a line. Raises what the last said where none can."""
        self._watch.expect("loading", 0.0)
        last: PixturnError | None = None
        for way in found:
            start = self._clock()
            try:
                subject = subject_of(way.open(self._options.runs), self._picture)
            except ConfigurationError:
                raise
            except PixturnError as problem:
                last = problem
                self._failed.append(f"{way.words}: {first_line(problem)}")
                continue
            self._opened[way] = _Opened(subject=subject, load_sec=self._clock() - start)
        if not self._opened and last is not None:
            raise last

    def require_sensible(self) -> None:
        """Raise ConfigurationError where an option was given that would change nothing."""
        if not self._opened or not isinstance(self._any, Samples):
            return
        given = {"--picture": self._options.picture, "--sizes-px": self._options.sizes_px}
        for option, value in given.items():
            if value is not None:
                raise ConfigurationError(
                    f"{option}: {self._model.name} makes samples out of noise, of one size; leave the option out"
                )

    def measure(self) -> None:
        """Sizes one after the other; within one all ways take turns."""
        for way, opened in self._opened.items():
            self._rows[way] = Row(way=way, card=opened.subject.card, load_sec=opened.load_sec, single={}, stream={})
        for side_px in self._sizes_px:
            self._size(side_px)
        self._compare()
        if self._options.fresh:
            self._probe()

    def results(self, missing: Sequence[str]) -> ModelResults:
        """What there is."""
        return ModelResults(
            model=self._model.name,
            picture=str(self._picture) if self._picture else "what is made up for it",
            sizes_px=self._sizes_px,
            rows=[row for row in self._rows.values() if row.single],
            missing=missing,
            failed=self._failed,
        )

    def _size(self, side_px: int) -> None:
        batches = self._batches(side_px)
        calls: dict[tuple[Way, int], Call] = {
            (way, size): opened.subject.call(side_px, size) for way, opened in self._opened.items() for size in batches
        }
        units = {(way, size): size * side_px**2 / 65536 for way, size in calls}
        self._watch.expect(f"{side_px} px", sum(units.values()) * (self._options.rounds + 1) + self._later(side_px))
        done = race(calls, rounds=self._options.rounds, watch=self._watch, units=units, clock=self._clock)
        for (way, size), problem in done.failures.items():
            self._failed.append(f"{way.words}, {size} of {side_px} px: {first_line(problem)}")
        for way, row in self._rows.items():
            timings = {size: done.timings[way, size] for size in batches if (way, size) in done.timings}
            if 1 in timings:
                streams = [
                    Stream(batch=size, pictures_per_sec=size / timing.median_sec) for size, timing in timings.items()
                ]
                best = max(streams, key=lambda stream: stream.pictures_per_sec)
                self._rows[way] = replace(
                    row, single={**row.single, side_px: timings[1]}, stream={**row.stream, side_px: best}
                )

    @property
    def _sizes_px(self) -> Sequence[int]:
        asked = SIZES_PX if self._options.sizes_px is None else self._options.sizes_px
        return self._any.sizes_px(asked) if self._opened else asked

    def _batches(self, side_px: int) -> list[int]:
        """One, and those of the options that are not too large together."""
        asked = self._any.batches(self._options.batches)
        return [1, *(size for size in asked if size * side_px**2 <= _TOGETHER_PIXELS and size > 1)]

    @property
    def _any(self) -> Subject:
        """All ways take and give the same."""
        return next(iter(self._opened.values())).subject

    def _later(self, side_px: int) -> float:
        """The work that comes after this size."""
        sizes = self._sizes_px[list(self._sizes_px).index(side_px) + 1 :]
        calls = [size * side**2 / 65536 for side in sizes for size in self._batches(side)]
        probes = _PROBE_UNITS * len(self._opened) if self._options.fresh else 0.0
        return sum(calls) * len(self._opened) * (self._options.rounds + 1) + probes

    def _compare(self) -> None:
        """The smallest picture, as each way makes it, against the first way's."""
        side_px, reference = min(self._sizes_px), None
        for way, row in self._rows.items():
            if self._watch.asks_to_stop() or not row.single:
                continue
            if side_px not in row.single:
                continue  # it failed at this size, which is told already
            subject = self._opened[way].subject
            made = subject.numbers(side_px)
            if reference is None:
                reference = made
                continue
            agreement = compare_numbers(made, reference, subject.ports)
            beyond = tuple(agreement.beyond(bar_of(row.card, way.compute)))
            self._rows[way] = replace(row, agreement=agreement, beyond=beyond)

    def _probe(self) -> None:
        side_px = self._sizes_px[0]
        self._watch.expect("fresh processes", _PROBE_UNITS * len(self._opened))
        for way, row in self._rows.items():
            if not self._watch.asks_to_stop():
                self._rows[way] = replace(row, fresh=self._fresh(way, side_px))
                self._watch.advance(_PROBE_UNITS)

    def _fresh(self, way: Way, side_px: int) -> Fresh | None:
        try:
            return fresh(way, side_px, self._options.runs)
        except (OSError, ValueError) as problem:
            self._failed.append(f"{way.words}: {first_line(problem)}")
            return None
