"""Fair timings: contestants take turns, so that whatever else the machine does hits all of them alike."""

import math
import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

Name = TypeVar("Name", bound=Hashable)
Call = Callable[[], object]
Clock = Callable[[], float]

_LEAST_TURN_SEC: Final = 0.05
"""Quick calls are made several times in a row, so that a turn is long beside the clock's own noise."""
_MOST_CALLS_A_TURN: Final = 50


class Watch(Protocol):
    """Whoever shows how far it is, and may end it early."""

    def advance(self, units: float) -> None:
        """So much more of the expected work is done."""
        ...

    def asks_to_stop(self) -> bool:
        """Whether to end now, with what was measured."""
        ...


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one call: the median over the turns, and the quarters of them below and above."""

    median_sec: float
    lower_sec: float
    upper_sec: float
    turns: int


@dataclass(frozen=True, kw_only=True)
class Race(Generic[Name]):
    """What came of all contestants: `timings` of those that ran, `failures` of the others.

    `warm_up_sec` is what the first, untimed calls took together, by contestant.
    """

    timings: Mapping[Name, Timing]
    failures: Mapping[Name, Exception]
    warm_up_sec: Mapping[Name, float]


def race(
    calls: Mapping[Name, Call],
    *,
    rounds: int,
    watch: Watch,
    units: Mapping[Name, float] | None = None,
    warm_up: int = 1,
    clock: Clock = time.perf_counter,
) -> Race[Name]:
    """Call every contestant once a round, in an order that turns by one each round.

    A contestant that raises an Exception is out, and the others go on. Where the watch asks to stop, the race ends with
    the turns that were taken; a contestant without any has no timing.

    Args:
        calls: the contestants. Each waits for its own work to end (a GPU's, too).
        rounds: turns of each.
        watch: is told of every turn, and may end the race.
        units: what a turn of each is worth to the watch; 1, if None.
        warm_up: untimed calls of each, before all else.
        clock: gives seconds.
    """
    track = _Track(calls, units or dict.fromkeys(calls, 1.0), watch, clock)
    for name in calls:
        track.warm_up(name, warm_up)
    for turn in range(rounds):
        names = list(track.running)
        start = turn % max(1, len(names))
        for name in names[start:] + names[:start]:
            track.turn(name)
    return Race(
        timings={name: summary(seconds) for name, seconds in track.seconds.items() if seconds},
        failures=track.failures,
        warm_up_sec=track.warm_up_sec,
    )


def summary(seconds: Sequence[float]) -> Timing:
    """The median and the quarters of seconds that were taken, at least one."""
    lower, median, upper = (
        statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else [seconds[0]] * 3
    )
    return Timing(median_sec=median, lower_sec=lower, upper_sec=upper, turns=len(seconds))


class _Track(Generic[Name]):
    """Who still runs, and what was measured so far."""

    def __init__(self, calls: Mapping[Name, Call], units: Mapping[Name, float], watch: Watch, clock: Clock) -> None:
        self.running = dict(calls)
        self.seconds: dict[Name, list[float]] = {name: [] for name in calls}
        self.failures: dict[Name, Exception] = {}
        self.warm_up_sec: dict[Name, float] = {}
        self._repeats = dict.fromkeys(calls, 1)
        self._units, self._watch, self._clock = units, watch, clock

    def warm_up(self, name: Name, count: int) -> None:
        """Untimed calls; the last one says how many calls make a turn."""
        taken = [seconds for _ in range(count) if (seconds := self._taken(name)) is not None]
        self.warm_up_sec[name] = sum(taken)
        if taken:
            wanted = math.ceil(_LEAST_TURN_SEC / max(taken[-1], 1e-9))
            self._repeats[name] = max(1, min(_MOST_CALLS_A_TURN, wanted))

    def turn(self, name: Name) -> None:
        """One timed turn."""
        seconds = self._taken(name, self._repeats[name])
        if seconds is not None:
            self.seconds[name].append(seconds / self._repeats[name])

    def _taken(self, name: Name, repeats: int = 1) -> float | None:
        """Seconds of so many calls; None for one that failed, is out, or was not made."""
        if name not in self.running or self._watch.asks_to_stop():
            return None
        start = self._clock()
        try:
            for _ in range(repeats):
                self.running[name]()
        except Exception as problem:  # compilers, engines and devices raise what they like
            self.failures[name] = problem
            self.seconds[name].clear()
            del self.running[name]
            return None
        finally:
            self._watch.advance(self._units[name])
        return self._clock() - start
