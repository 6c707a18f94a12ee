"""Times import, load and first picture in fresh processes: `python -m benchmarks.first_picture`.

The clock starts with the process, so Python's own start counts. `first time` is a file that was never tried, which a
child process does first; `again` is the same file later.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image

from benchmarks.machine import description
from benchmarks.timing import summary
from benchmarks.torch_engines import network_named, write_model
from translate.runtime.approvals import CACHE_VARIABLE
from translate.runtime.cores import usable_cores

ENGINES: Mapping[str, tuple[str, str]] = {
    "ONNX Runtime fp32": ("cpu", "fp32"),
    "OpenVINO fp32": ("openvino", "fp32"),
    "OpenVINO bf16": ("openvino", "bf16"),
}
"""Device and arithmetic by the engine's name."""
PROGRAM = """
import sys, pipelines
pipelines.load(sys.argv[1], device=sys.argv[3], compute=sys.argv[4])(sys.argv[2])
assert "torch" not in sys.modules
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    networks: tuple[str, ...] = ("ResNet-small",)
    """Which networks."""
    engines: tuple[str, ...] = tuple(ENGINES)
    """Which engines."""
    size_px: int = 256
    """Side of the square picture."""
    rounds: int = 7
    """Fresh processes each way."""


def main(options: Options) -> None:
    """Print a table in Markdown."""
    print(description(torch.device("cpu"), usable_cores()))
    print("\n| network | px | engine | process | seconds (quartiles) |\n|---|---|---|---|---|")
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            path, picture = write_model(network_named(name), Path(folder)), Path(folder) / "in.png"
            Image.fromarray(np.zeros((options.size_px, options.size_px, 3), np.uint8)).save(picture)
            for engine in options.engines:
                _rows(name, engine, path, picture, options)


def _rows(name: str, engine: str, path: Path, picture: Path, options: Options) -> None:
    folder = path.parent / engine
    _seconds(path, picture, engine, cache=folder / "warm")  # the disk's cache, and Python's compiled files
    caches = {
        "first time": [folder / f"cache-{index}" for index in range(options.rounds)],
        "again": [folder / "warm"] * options.rounds,
    }
    for process, places in caches.items():
        timing = summary([_seconds(path, picture, engine, cache=place) for place in places])
        figures = f"{timing.median_sec:.2f} ({timing.lower_sec:.2f} to {timing.upper_sec:.2f})"
        print(f"| {name} | {options.size_px} | {engine} | {process} | {figures} |", flush=True)


def _seconds(path: Path, picture: Path, engine: str, *, cache: Path) -> float:
    environment = {**os.environ, CACHE_VARIABLE: str(cache)}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", PROGRAM, path, picture, *ENGINES[engine]], env=environment, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(tyro.cli(Options))
