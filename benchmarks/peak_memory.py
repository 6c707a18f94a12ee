"""Prints the peak resident memory, in MB, of a process that runs one engine twice and does nothing else.

Arguments: the engine, the network's name or the file, the side in pixels, threads, the device.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.graph_engines import ON_CPU, ON_CUDA, Call


def main(engine: str, what: str, size_px: int, threads: int, device: str) -> None:
    """Build the engine, run it and say what it took."""
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, size_px, size_px)).astype(np.float32)
    graph_engines = ON_CUDA if device == "cuda" else ON_CPU
    is_graph = engine in graph_engines
    call = graph_engines[engine](Path(what), picture, threads) if is_graph else _torch(engine, what, picture, device)
    for _ in range(2):
        call()
    print(_peak_mb())


def _peak_mb() -> float:
    # Not getrusage: its peak starts with that of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _torch(engine: str, network: str, picture: np.ndarray, device: str) -> Call:
    import torch
    from torch_engines import TORCH_ENGINES, network_named

    return TORCH_ENGINES[engine](network_named(network), picture, torch.device(device))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
