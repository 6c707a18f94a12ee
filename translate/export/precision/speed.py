"""Whether a smaller model is a faster one, measured here and now."""

import time
from statistics import median

from translate.runtime.base import Arrays, Runtime


def speed_ratio(before: Runtime, after: Runtime, sample: Arrays, *, repeats: int = 7) -> float:
    """How many times as fast `after` is as `before` on this machine; below 1 it is slower.

    Both run in turns, so that whatever else the machine does hits both alike; medians are compared.

    Args:
        before: for example the float32 model.
        after: for example the int8 model.
        sample: what both are given, by input name.
        repeats: timed runs of each, after one to warm up.
    """
    seconds = [(_seconds(before, sample), _seconds(after, sample)) for _ in range(repeats + 1)][1:]
    return median(first for first, _ in seconds) / median(second for _, second in seconds)


def _seconds(runtime: Runtime, sample: Arrays) -> float:
    start = time.perf_counter()
    runtime.run(sample)
    return time.perf_counter() - start
