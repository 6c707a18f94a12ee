"""Reference and library in processes of their own, in turns: `python -m benchmarks.training_apart`.

In one process both live on what memory the other gave back. A run of a user's own has its process to itself, and asks
the system for fresh pages where tensors are large, as pix2pix's 54 million weights are.
"""

import subprocess
import sys
import time
from dataclasses import dataclass

import torch
import tyro

from benchmarks.contenders import PUBLISHED, REFERENCE, SHIPPED, Workload, steps, use
from benchmarks.machine import synchronise
from benchmarks.timing import Timing, summary


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    systems: tuple[str, ...] = ("pix2pix", "cyclegan")
    """Of `benchmarks.contenders.PUBLISHED`, at the published size and batch."""
    rounds: int = 5
    """Processes of each contender."""
    iterations: int = 5
    """Of which each process tells the median, after two to warm up."""
    threads: int = 0
    """0: all cores."""
    device: str = "cpu"
    """cpu or cuda."""
    contender: str | None = None
    """Only this one, here, for the first of the systems: what each process is started with."""


def main(options: Options) -> None:
    """Print a table in Markdown, or the seconds of one contender."""
    if options.contender is not None:
        print(_median_sec(options))
        return
    print("| system | reference, ms (quartiles) | library, ms (quartiles) | times reference |\n|---|---|---|---|")
    for system in options.systems:
        timings = _alternately(system, options)
        ratio = timings[REFERENCE].median_sec / timings[SHIPPED].median_sec
        print(f"| {system} | {_told(timings[REFERENCE])} | {_told(timings[SHIPPED])} | {ratio:.2f} |", flush=True)


def _alternately(system: str, options: Options) -> dict[str, Timing]:
    seconds: dict[str, list[float]] = {REFERENCE: [], SHIPPED: []}
    for _ in range(options.rounds):
        for contender, taken in seconds.items():
            taken.append(_in_a_process(system, contender, options))
    return {contender: summary(taken) for contender, taken in seconds.items()}


def _in_a_process(system: str, contender: str, options: Options) -> float:
    command = [sys.executable, "-m", "benchmarks.training_apart", "--systems", system, "--contender", contender]
    command += ["--iterations", str(options.iterations), "--threads", str(options.threads), "--device", options.device]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout.splitlines()[-1])


def _median_sec(options: Options) -> float:
    use(options.threads)
    system, device = options.systems[0], torch.device(options.device)
    px, batch = PUBLISHED[system]
    work = Workload(system=system, size_px=px, batch_size=batch)
    (step,) = steps(work, device, (str(options.contender),), compiled=False).values()
    taken: list[float] = []
    for _ in range(2 + options.iterations):
        begun = time.perf_counter()
        step()
        synchronise(device)
        taken.append(time.perf_counter() - begun)
    return summary(taken[2:]).median_sec


def _told(timing: Timing) -> str:
    median, lower, upper = (1000 * sec for sec in (timing.median_sec, timing.lower_sec, timing.upper_sec))
    return f"{median:,.0f} ({lower:,.0f} to {upper:,.0f})"


if __name__ == "__main__":
    main(tyro.cli(Options))
