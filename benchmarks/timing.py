"""Fair timings: contestants take turns, so that whatever else the machine does hits all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of one call: the median over the rounds, and the quarters of them below and above."""

    median: float
    lower: float
    upper: float


def alternately(contestants: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 1) -> dict[str, Timing]:
    """Call every contestant once a round, in an order that turns by one each round."""
    names = list(contestants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(-warm_up, rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            taken = _seconds(contestants[name])
            if turn >= 0:
                seconds[name].append(taken)
    return {name: summary(values) for name, values in seconds.items()}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def summary(values: list[float]) -> Timing:
    """The median and the quarters of seconds that were taken."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return Timing(median=median, lower=lower, upper=upper)
