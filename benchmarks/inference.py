"""Times one picture through every engine, side by side: `python -m benchmarks.inference`.

Milliseconds are medians of calls that take turns, with the quartiles; the ratio is to eager fp32 torch; the share is
of the matrix product that this machine was measured to do at that precision; memory is the peak of a process of its
own that runs that engine alone (torch's own libraries included where the engine is torch).
"""

import copy
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.graph_engines import ON_CPU, ON_CUDA, Call
from benchmarks.machine import description, peak_flops
from benchmarks.timing import Timing, alternately
from benchmarks.torch_engines import EAGER, NETWORKS, TORCH_ENGINES, network_named, write_graph

HEAD = "| network | px | engine | ms (quartiles) | pictures/s | times eager | share of peak | peak memory MB |"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    sizes_px: tuple[int, ...] = (256, 512, 1024)
    """Sides of the square pictures."""
    networks: tuple[str, ...] = tuple(NETWORKS)
    """Which networks; ResNet-small is another."""
    rounds: int = 9
    """Calls of every engine."""
    threads: int = 2
    """Of every engine."""
    device: str = "cpu"
    """cpu or cuda."""
    memory: bool = True
    """Whether to start a process an engine for its peak memory."""
    out: Path | None = None
    """Where to write all figures as JSON."""
    plot: Path | None = None
    """Where to draw milliseconds against size, as .png (with `pip install pixturn[examples]`)."""


def main(options: Options) -> None:
    """Print a table in Markdown."""
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    peaks = {kind: peak_flops(dtype, device) for kind, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}
    print(description(device, options.threads))
    print("matrix product: " + ", ".join(f"{kind} {peak / 1e9:,.0f} GFLOP/s" for kind, peak in peaks.items()))
    print(f"\n{HEAD}\n|---|---|---|---|---|---|---|---|")
    rows = list[dict[str, Any]]()
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            graph = Path(folder) / "model.onnx"
            write_graph(network_named(name), graph)
            for size_px in options.sizes_px:
                rows += _rows(name, graph, size_px, options, peaks)
    _print_slopes(rows)
    if options.plot is not None:
        from benchmarks.inference_drawing import draw

        draw(rows, options.plot)
    if options.out is not None:
        options.out.write_text(json.dumps({"peaks": peaks, "rows": rows}, indent=2) + "\n")


def _rows(name: str, graph: Path, size_px: int, options: Options, peaks: Mapping[str, float]) -> list[dict[str, Any]]:
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, size_px, size_px)).astype(np.float32)
    network = network_named(name)
    timings = alternately(_contestants(network, graph, picture, options), rounds=options.rounds)
    work = _flops(network, picture)
    rows = list[dict[str, Any]]()
    for engine, timing in timings.items():
        what = name if engine in TORCH_ENGINES else str(graph)
        memory = f"{_peak_memory_mb(engine, what, size_px, options):,.0f}" if options.memory else ""
        peak = peaks.get(engine.rpartition(" ")[2])  # that of int8 is not measured
        share = f"{work / timing.median_sec / peak:.0%}" if peak else ""
        ratio = timings[EAGER].median_sec / timing.median_sec
        figures = f"{_milliseconds(timing)} | {1 / timing.median_sec:.2f} | {ratio:.2f} | {share} | {memory}"
        print(f"| {name} | {size_px} | {engine} | {figures} |", flush=True)
        row = {"network": name, "px": size_px, "engine": engine, "times_eager": ratio, "memory_mb": memory}
        rows.append({**row, **asdict(timing)})
    return rows


def _print_slopes(rows: Sequence[Mapping[str, Any]]) -> None:
    """Of log time against log pixels: 1 where the cost of a picture is linear in its pixels."""
    print("\n| network | engine | slope of time by pixels |\n|---|---|---|")
    for name, engine in dict.fromkeys((row["network"], row["engine"]) for row in rows):
        own = [row for row in rows if (row["network"], row["engine"]) == (name, engine)]
        if len(own) > 1:
            logs = [np.log([row[key] for row in own]) for key in ("px", "median_sec")]
            print(f"| {name} | {engine} | {np.polyfit(2 * logs[0], logs[1], 1)[0]:.2f} |")


def _contestants(network: torch.nn.Module, graph: Path, picture: np.ndarray, options: Options) -> dict[str, Call]:
    device = torch.device(options.device)
    of_torch = {name: make(copy.deepcopy(network), picture, device) for name, make in TORCH_ENGINES.items()}
    engines = ON_CUDA if device.type == "cuda" else ON_CPU
    return {**of_torch, **{name: make(graph, picture, options.threads) for name, make in engines.items()}}


def _milliseconds(timing: Timing) -> str:
    return f"{1e3 * timing.median_sec:,.0f} ({1e3 * timing.lower_sec:,.0f} to {1e3 * timing.upper_sec:,.0f})"


def _flops(network: torch.nn.Module, picture: np.ndarray) -> int:
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.from_numpy(picture))
    return counter.get_total_flops()


def _peak_memory_mb(engine: str, what: str, size_px: int, options: Options) -> float:
    arguments = [engine, what, str(size_px), str(options.threads), options.device]
    run = partial(subprocess.run, capture_output=True, check=True, text=True)
    return float(run([sys.executable, "-m", "benchmarks.peak_memory", *arguments]).stdout.splitlines()[-1])


if __name__ == "__main__":
    main(tyro.cli(Options))
