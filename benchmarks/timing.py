"""Turns for benchmarks: those of `pixturn bench`, but nobody watches, and what fails ends the benchmark."""

from collections.abc import Callable, Mapping

from pipelines.benching.timing import Timing, race, summary

__all__ = ["Timing", "alternately", "summary"]


class _Nobody:
    def advance(self, units: float) -> None:
        pass

    def asks_to_stop(self) -> bool:
        return False


def alternately(contestants: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 1) -> dict[str, Timing]:
    """See `pipelines.benching.timing.race`. Raises what a contestant raises."""
    done = race(contestants, rounds=rounds, watch=_Nobody(), warm_up=warm_up)
    for problem in done.failures.values():
        raise problem
    return dict(done.timings)
