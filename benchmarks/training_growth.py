"""How the cost of a picture grows with its size and with the batch: is it linear?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np

from benchmarks.contenders import PUBLISHED, REFERENCE, SHIPPED, Workload
from benchmarks.timing import Timing

What = Literal["pixels", "samples a step"]


class Settings(Protocol):
    """What is measured."""

    @property
    def growth_px(self) -> tuple[int, ...]: ...

    @property
    def growth_batch_sizes(self) -> tuple[int, ...]: ...

    @property
    def growth_batch_px(self) -> int: ...


SettingsT = TypeVar("SettingsT", bound=Settings)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Seconds of one picture at several sizes, or of one iteration's picture in several batches."""

    system: str
    contender: str
    what: What
    at: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def exponent(self) -> float:
        """Of the power law through the seconds of an *iteration*, by least squares of logarithms; 1 is linear."""
        of_iteration = np.array(self.seconds)
        if self.what == "samples a step":
            of_iteration = of_iteration * np.array(self.at)
        return exponent(self.at, of_iteration.tolist())


def exponent(at: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of log(seconds) over log(at)."""
    return float(np.polyfit(np.log(np.array(at)), np.log(np.array(seconds)), 1)[0])


def growth(
    systems: Sequence[str],
    options: SettingsT,
    timed: Callable[[Workload, SettingsT, tuple[str, ...]], dict[str, Timing]],
) -> Iterator[Growth]:
    """Measure the reference and the library over sizes at the published batch, and over batches at one size."""
    for system in systems:
        _, batch = PUBLISHED[system]
        sizes = [Workload(system=system, size_px=px, batch_size=batch) for px in options.growth_px]
        batches = [
            Workload(system=system, size_px=options.growth_batch_px, batch_size=size)
            for size in options.growth_batch_sizes
        ]
        yield from _over(sizes, "pixels", options, timed)
        yield from _over(batches, "samples a step", options, timed)


def _over(
    works: list[Workload],
    what: What,
    options: SettingsT,
    timed: Callable[[Workload, SettingsT, tuple[str, ...]], dict[str, Timing]],
) -> Iterator[Growth]:
    names = (REFERENCE, SHIPPED)
    timings = [timed(work, options, names) for work in works]
    for name in names:
        yield Growth(
            system=works[0].system,
            contender=name,
            what=what,
            at=tuple(work.size_px**2 if what == "pixels" else work.batch_size for work in works),
            seconds=tuple(each[name].median_sec / work.batch_size for each, work in zip(timings, works, strict=True)),
        )
