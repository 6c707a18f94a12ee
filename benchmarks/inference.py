"""Times one picture through every engine, side by side: `python benchmarks/inference.py`.

Milliseconds are medians of calls that take turns, with the quartiles; the ratio is to eager fp32 torch; the share is
of the matrix product that this machine was measured to do at that precision; memory is the peak of a process of its
own that runs that engine alone (torch's own libraries included where the engine is torch).
"""

import copy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import tyro
from graph_engines import ON_CPU, ON_CUDA, Call
from machine import description, peak_flops
from timing import Timing, alternately
from torch.utils.flop_counter import FlopCounterMode
from torch_engines import EAGER, NETWORKS, TORCH_ENGINES, network_named, write_graph

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


def main(options: Options) -> None:
    """Print a table in Markdown."""
    torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    peaks = {kind: peak_flops(dtype, device) for kind, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}
    print(description(device, options.threads))
    print("matrix product: " + ", ".join(f"{kind} {peak / 1e9:,.0f} GFLOP/s" for kind, peak in peaks.items()))
    print(f"\n{HEAD}\n|---|---|---|---|---|---|---|---|")
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            graph = Path(folder) / "model.onnx"
            write_graph(network_named(name), graph)
            for size_px in options.sizes_px:
                _rows(name, graph, size_px, options, peaks)


def _rows(name: str, graph: Path, size_px: int, options: Options, peaks: Mapping[str, float]) -> None:
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, size_px, size_px)).astype(np.float32)
    network = network_named(name)
    timings = alternately(_contestants(network, graph, picture, options), rounds=options.rounds)
    work = _flops(network, picture)
    for engine, timing in timings.items():
        what = name if engine in TORCH_ENGINES else str(graph)
        memory = f"{_peak_memory_mb(engine, what, size_px, options):,.0f}" if options.memory else ""
        peak = peaks.get(engine.rpartition(" ")[2])  # that of int8 is not measured
        share = f"{work / timing.median / peak:.0%}" if peak else ""
        ratio = timings[EAGER].median / timing.median
        figures = f"{_milliseconds(timing)} | {1 / timing.median:.2f} | {ratio:.2f} | {share} | {memory}"
        print(f"| {name} | {size_px} | {engine} | {figures} |", flush=True)


def _contestants(network: torch.nn.Module, graph: Path, picture: np.ndarray, options: Options) -> dict[str, Call]:
    device = torch.device(options.device)
    of_torch = {name: make(copy.deepcopy(network), picture, device) for name, make in TORCH_ENGINES.items()}
    engines = ON_CUDA if device.type == "cuda" else ON_CPU
    return {**of_torch, **{name: make(graph, picture, options.threads) for name, make in engines.items()}}


def _milliseconds(timing: Timing) -> str:
    return f"{1e3 * timing.median:,.0f} ({1e3 * timing.lower:,.0f} to {1e3 * timing.upper:,.0f})"


def _flops(network: torch.nn.Module, picture: np.ndarray) -> int:
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.from_numpy(picture))
    return counter.get_total_flops()


def _peak_memory_mb(engine: str, what: str, size_px: int, options: Options) -> float:
    script = Path(__file__).with_name("peak_memory.py")
    arguments = [engine, what, str(size_px), str(options.threads), options.device]
    run = partial(subprocess.run, capture_output=True, check=True, text=True)
    return float(run([sys.executable, str(script), *arguments]).stdout.splitlines()[-1])


if __name__ == "__main__":
    main(tyro.cli(Options))
