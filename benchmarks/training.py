"""Times training, the library against how the field does it: `python -m benchmarks.training`.

Both play iterations on the same pictures, which lie on the device, in turns in one process. Milliseconds are medians
with quartiles; the ratio is to the reference in the same rounds; the share is of the matrix product that this device
was measured to do at that precision, for the operations of one iteration of the reference (so that a shared forward
pass counts as work done); memory is the peak of a process of its own. A second table has the tricks one by one, a
third how the cost of a picture grows with its size and with the batch.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.contenders import (
    PUBLISHED,
    REFERENCE,
    SHIPPED,
    Step,
    Workload,
    contenders,
    of_tricks,
    reference_step,
    steps,
    use,
)
from benchmarks.machine import description, peak_flops, synchronise
from benchmarks.reference.system import prepare
from benchmarks.timing import Timing, alternately
from benchmarks.training_drawing import draw_growth, draw_ratios
from benchmarks.training_growth import growth
from benchmarks.training_memory import peak_memory_mb
from benchmarks.training_tables import CONTENDERS, Row, costs, ladder, write
from benchmarks.tricks import COMPILED

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    systems: tuple[str, ...] = tuple(PUBLISHED)
    """Which of them."""
    px: int | None = None
    """Side of the square pictures; none: as published (256; compact: crops of 96)."""
    batch_sizes: tuple[int, ...] = ()
    """Samples a step; none: as published (1; compact: 16)."""
    rounds: int = 7
    """Turns of every contender."""
    iterations: int = 1
    """Iterations a turn; a GPU needs several, since nobody waits for it after each."""
    warm_up: int = 1
    """Turns of every contender before any is timed; a GPU that tries kernels and captures graphs needs about 3."""
    threads: int = 0
    """Of every contender; 0: all cores."""
    device: str = "cpu"
    """cpu or cuda."""
    compile: bool = False
    """Whether torch.compile takes part; it needs minutes before the first turn."""
    ladder: bool = True
    """Whether to measure each trick; else the reference and the library alone."""
    tricks: tuple[str, ...] = ()
    """Of that ladder; none: all, but compiled only where asked for."""
    memory: bool = True
    """Whether to start a process a contender for its peak memory."""
    growth_px: tuple[int, ...] = (64, 96, 128, 192, 256)
    """Sides of pictures for the cost of a picture, at the published batch; none: not measured."""
    growth_batch_sizes: tuple[int, ...] = (1, 2, 4, 8, 16)
    """Batches for the cost of a picture."""
    growth_batch_px: int = 64
    """Side of the pictures of those batches."""
    growth_rounds: int = 5
    """Turns of each of these."""
    json: Path | None = None
    """Write all figures to this file."""
    pictures: Path | None = None
    """Folder for training-ratios.png and training-growth.png (drawing needs `pip install pixturn[examples]`)."""


def main(options: Options) -> None:
    """Print tables in Markdown."""
    threads, device = use(options.threads), torch.device(options.device)
    prepare()
    peaks = {name: _peak(dtype, device) for name, dtype in DTYPES.items() if name != "fp16" or device.type == "cuda"}
    told = description(device, threads)
    print(told)
    print("matrix product: " + ", ".join(f"{kind} {peak / 1e9:,.0f} GFLOP/s" for kind, peak in peaks.items()))
    print(f"\n{CONTENDERS}")
    rows: list[Row] = []
    for work in _workloads(options):
        rows += _measured(work, options, peaks)
        write(options.json, told, peaks, rows, [])
    if options.ladder:
        print("\n" + "\n".join(ladder(rows, device)))
    growing = replace(options, rounds=options.growth_rounds)
    grown = list(growth(options.systems, growing, _timed)) if options.growth_px else []
    print("\n" + "\n".join(costs(grown)))
    write(options.json, told, peaks, rows, grown)
    if options.pictures is not None:
        draw_ratios({(row.where, row.contender): row.times_reference for row in rows}, options.pictures)
        draw_growth(grown, options.pictures)


def _peak(dtype: torch.dtype, device: torch.device) -> float:
    """Of a matrix product; in fp32 a GPU multiplies as its convolutions do, in TF32 unless that is switched off."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        return peak_flops(dtype, device)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _workloads(options: Options) -> list[Workload]:
    found: list[Workload] = []
    for system in options.systems:
        px, batch = PUBLISHED[system]
        for size in options.batch_sizes or (batch,):
            found.append(Workload(system=system, size_px=options.px or px, batch_size=size))
    return found


def _measured(work: Workload, options: Options, peaks: dict[str, float]) -> list[Row]:
    device = torch.device(options.device)
    names = () if options.ladder else (REFERENCE, SHIPPED, *((f"library with {COMPILED}",) if options.compile else ()))
    names = of_tricks(work, device, options.tricks) if options.ladder and options.tricks else names
    timings = _timed(work, options, names)
    known = contenders(work, device, compiled=options.compile)
    work_flops = _flops(work)
    rows: list[Row] = []
    for name, timing in timings.items():
        precision = "fp32" if name == REFERENCE else known[name].recipe.precision
        peak = peaks.get(precision)
        rows.append(
            Row(
                **asdict(work),
                contender=name,
                precision=precision,
                seconds=timing,
                times_reference=timings[REFERENCE].median_sec / timing.median_sec,
                share_of_peak=work_flops / timing.median_sec / peak if peak else None,
                memory_mb=peak_memory_mb(work, name, options.device, options.threads) if options.memory else None,
            )
        )
        print(rows[-1].line, flush=True)
    return rows


def _timed(work: Workload, options: Options, names: tuple[str, ...]) -> dict[str, Timing]:
    """Seconds of one iteration of each contender."""
    device = torch.device(options.device)
    ready = steps(work, device, names, compiled=options.compile)
    calls = {name: _several(step, options.iterations, device) for name, step in ready.items()}
    timings = alternately(calls, rounds=options.rounds, warm_up=options.warm_up)
    return {name: _divided(timing, options.iterations) for name, timing in timings.items()}


def _several(step: Step, iterations: int, device: torch.device) -> Step:
    def call() -> None:
        for _ in range(iterations):
            step()
        synchronise(device)

    return call


def _divided(timing: Timing, by: int) -> Timing:
    return replace(
        timing,
        median_sec=timing.median_sec / by,
        lower_sec=timing.lower_sec / by,
        upper_sec=timing.upper_sec / by,
    )


def _flops(work: Workload) -> int:
    """Floating-point operations of convolutions and products, forwards and backwards, in one iteration."""
    step = reference_step(replace(work, batch_size=1), torch.device("cpu"))
    with FlopCounterMode(display=False) as counter:
        step()
    return work.batch_size * counter.get_total_flops()


if __name__ == "__main__":
    main(tyro.cli(Options))
