"""Which settings are tried for a recipe, in which order, and against which.

Every stage holds its contenders against the best so far, which takes turns with them; their times are then put on the
scale of its first ones, so that what else the machine does meanwhile falls out:

1. arithmetic and order in memory, at the recipe's batch size;
2. fewer threads, on a CPU;
3. torch.compile, in both orders in memory, each in a race of its own, with what compiling takes;
4. other batch sizes, upwards while they fit and are not too slow; not compiled, since each size is compiled anew;
5. the best of them compiled, where compiling helped.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pipelines.benching.timing import Call, Clock, Race, Timing, race
from pipelines.benching.training.results import Failed, Row, TrainingResults
from pipelines.benching.training.settings import TrainingSetting
from pipelines.benching.watching import Watch, first_line
from translate.recipe import Layout, Precision

BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64)
_WARM_UP: Final = 2
_WARM_UP_COMPILED: Final = 3
_UNITS_COMPILED: Final = 6.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is tried."""

    plain: TrainingSetting
    usual: TrainingSetting
    precisions: Sequence[Precision]
    layouts: Sequence[Layout]
    threads: Sequence[int] = ()
    """Counts besides those of `plain`."""
    compiles: bool = True
    batch_sizes: Sequence[int] = BATCH_SIZES
    rounds: int = 5
    longest_sec: float = 20.0
    """Iterations that would take longer are not tried."""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where steps come from: `open` makes one iteration of a setting ready to be called, or raises why not.

    `memory_bytes` is what a setting takes, and `free_bytes` what there is while none is open, where that is known;
    `forget` drops what compilers keep.
    """

    open: Callable[[TrainingSetting], Call]
    memory_bytes: Callable[[TrainingSetting], int | None] = lambda _: None
    free_bytes: Callable[[], int | None] = lambda: None
    forget: Callable[[], None] = lambda: None


class Comparison:
    """One recipe's settings, measured; `results` is what there is so far."""

    def __init__(self, plan: Plan, workshop: Workshop, watch: Watch, clock: Clock) -> None:
        self._plan, self._workshop, self._watch, self._clock = plan, workshop, watch, clock
        self._rows: dict[TrainingSetting, Row] = {}
        self._failed: list[Failed] = []

    def results(self, recipe: str, device: str) -> TrainingResults:
        """What was measured."""
        plan = self._plan
        return TrainingResults(
            recipe=recipe,
            device=device,
            plain=plan.plain,
            usual=plan.usual,
            all_threads=plan.plain.threads,
            rows=tuple(self._rows.values()),
            failed=tuple(self._failed),
        )

    def run(self) -> None:
        """Measure everything; ends early where the watch asks for it."""
        self._race("arithmetic and layout", self._first())
        self._race("threads", [replace(self._best(), threads=count) for count in self._plan.threads if self._rows])
        if self._plan.compiles and self._rows:
            best = self._best()
            for layout in sorted(self._plan.layouts, key=lambda layout: layout != best.layout):
                self._workshop.forget()
                self._race("compiling", [replace(best, layout=layout, compile=True)])
            self._workshop.forget()
        self._batches()
        if self._rows:
            self._compiled_batch()

    def _first(self) -> list[TrainingSetting]:
        plan = self._plan
        kinds = itertools.product(plan.precisions, plan.layouts)
        settings = [replace(plan.plain, precision=precision, layout=layout) for precision, layout in kinds]
        usual = replace(plan.usual, compile=False)
        return settings if usual in settings else [*settings, usual]

    def _batches(self) -> None:
        for size in sorted(self._plan.batch_sizes):
            if not self._rows or self._watch.asks_to_stop():
                return
            best = self._best(plain_batch=True)
            setting = replace(best, batch_size=size)
            if setting in self._rows:
                continue
            per_picture_sec = 1 / self._rows[best].pictures_per_sec
            if size > best.batch_size and size * per_picture_sec > self._plan.longest_sec:
                reason = f"an iteration would take about {size * per_picture_sec:.0f} s (--longest-sec)"
                self._failed.append(Failed(setting=f"batches of {size} and more", reason=reason))
                return
            self._race(f"batches of {size}", [setting])
            if size > best.batch_size and setting not in self._rows:
                return  # a larger one takes more memory still

    def _compiled_batch(self) -> None:
        """Both that helped alone, together: compiled, at the best batch size."""
        compiled = [row for row in self._rows.values() if row.setting.compile]
        best = self._best()
        if not compiled or best.batch_size == self._plan.plain.batch_size:
            return
        fastest = max(compiled, key=lambda row: row.pictures_per_sec)
        if fastest.pictures_per_sec > self._rows[self._best(plain_batch=True)].pictures_per_sec:
            self._race("compiling the best batch", [replace(fastest.setting, batch_size=best.batch_size)])
            self._workshop.forget()

    def _best(self, *, plain_batch: bool = False) -> TrainingSetting:
        """The fastest so far that is not compiled; at the recipe's batch size, where asked for."""
        rows = [row for row in self._rows.values() if not row.setting.compile]
        if plain_batch:
            rows = [row for row in rows if row.setting.batch_size == self._plan.plain.batch_size]
        return max(rows, key=lambda row: row.pictures_per_sec).setting

    def _race(self, words: str, settings: Sequence[TrainingSetting]) -> None:
        """Measure settings in turns with the best so far, on whose scale their times are put.

        As many together as memory holds; alone, and on a scale of its own, what it does not hold beside the best.
        """
        if not settings or self._watch.asks_to_stop():
            return
        waiting = [setting for setting in settings if setting not in self._rows and self._may_be_tried(setting)]
        while waiting and not self._watch.asks_to_stop():
            champion = [self._best(plain_batch=True)] if self._rows else []
            champion = champion if self._fit([*champion, waiting[0]]) else []
            count = 1
            while count < len(waiting) and self._fit([*champion, *waiting[: count + 1]]):
                count += 1
            self._race_together(words, champion, waiting[:count])
            waiting = waiting[count:]

    def _race_together(
        self, words: str, champion: Sequence[TrainingSetting], settings: Sequence[TrainingSetting]
    ) -> None:
        calls = self._opened([*champion, *settings])
        units = {setting: self._units(setting) for setting in calls}
        warm_up = _WARM_UP_COMPILED if any(setting.compile for setting in calls) else _WARM_UP
        self._watch.expect(words, sum(units.values()) * (self._plan.rounds + warm_up) + self._later(words))
        done = race(calls, rounds=self._plan.rounds, watch=self._watch, units=units, warm_up=warm_up, clock=self._clock)
        self._take(done, champion[0] if champion else None, warm_up)

    def _fit(self, settings: Sequence[TrainingSetting]) -> bool:
        """Whether memory holds these at once, as far as that is known."""
        free = self._workshop.free_bytes()
        return free is None or sum(self._workshop.memory_bytes(setting) or 0 for setting in settings) <= free

    def _take(self, done: Race[TrainingSetting], champion: TrainingSetting | None, warm_up: int) -> None:
        scale = 1.0
        if champion in done.timings and champion is not None:
            scale = self._rows[champion].timing.median_sec / done.timings[champion].median_sec
        for setting, timing in done.timings.items():
            if setting != champion:
                compile_sec = done.warm_up_sec[setting] - warm_up * timing.median_sec if setting.compile else 0.0
                self._rows[setting] = Row(
                    setting=setting,
                    timing=_scaled(timing, scale),
                    compile_sec=max(0.0, compile_sec),
                    memory_bytes=self._workshop.memory_bytes(setting),
                )
        for setting, problem in done.failures.items():
            self._fail(setting, first_line(problem))

    def _may_be_tried(self, setting: TrainingSetting) -> bool:
        if self._fit([setting]):
            return True
        needed, free = self._workshop.memory_bytes(setting) or 0, self._workshop.free_bytes() or 0
        self._fail(setting, f"it would take {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free")
        return False

    def _opened(self, settings: Sequence[TrainingSetting]) -> Mapping[TrainingSetting, Call]:
        calls: dict[TrainingSetting, Call] = {}
        for setting in settings:
            if self._watch.asks_to_stop():
                return {}
            try:
                calls[setting] = self._workshop.open(setting)
            except Exception as problem:  # compilers and devices raise what they like
                self._fail(setting, first_line(problem))
        return calls

    def _fail(self, setting: TrainingSetting, reason: str) -> None:
        self._failed.append(Failed(setting=f"{setting.words}, batch {setting.batch_size}", reason=reason))

    def _units(self, setting: TrainingSetting) -> float:
        """The work of one iteration, in iterations of the recipe's batch size."""
        return setting.batch_size / self._plan.plain.batch_size * (_UNITS_COMPILED if setting.compile else 1.0)

    def _later(self, words: str) -> float:
        """The work of the stages that come after this one, as far as it can be told."""
        turns, base = self._plan.rounds + _WARM_UP, self._plan.plain.batch_size
        stages = [("threads", float(2 * len(self._plan.threads)))]
        if self._plan.compiles:
            stages.append(("compiling", _UNITS_COMPILED * len(self._plan.layouts)))
        stages += [(f"batches of {size}", 1.0 + size / base) for size in sorted(self._plan.batch_sizes) if size != base]
        names = [name for name, _ in stages]
        after = stages[names.index(words) + 1 :] if words in names else stages
        return turns * sum(units for _, units in after)


def _scaled(timing: Timing, scale: float) -> Timing:
    return Timing(
        median_sec=scale * timing.median_sec,
        lower_sec=scale * timing.lower_sec,
        upper_sec=scale * timing.upper_sec,
        turns=timing.turns,
    )
