"""Times import, load and first picture in fresh processes: `python benchmarks/first_picture.py`.

The clock starts with the process, so Python's own start counts. `first time` is a file that was never tried, which a
child process does first; `again` is the same file later.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from machine import description
from PIL import Image
from timing import summary
from torch_engines import network_named, write_model

from translate.runtime.approvals import CACHE_VARIABLE
from translate.runtime.cores import usable_cores

PROGRAM = """
import sys, pipelines
pipelines.load(sys.argv[1], device="cpu")(sys.argv[2])
assert "torch" not in sys.modules
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    networks: tuple[str, ...] = ("ResNet-small",)
    """Which networks."""
    size_px: int = 256
    """Side of the square picture."""
    rounds: int = 7
    """Fresh processes each way."""


def main(options: Options) -> None:
    """Print a table in Markdown."""
    print(description(torch.device("cpu"), usable_cores()))
    print("\n| network | px | process | seconds (quartiles) |\n|---|---|---|---|")
    for name in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            path, picture = write_model(network_named(name), Path(folder)), Path(folder) / "in.png"
            Image.fromarray(np.zeros((options.size_px, options.size_px, 3), np.uint8)).save(picture)
            _seconds(path, picture, cache=Path(folder) / "warm")  # the disk's cache, and Python's compiled files
            caches = {
                "first time": [Path(folder) / f"cache-{index}" for index in range(options.rounds)],
                "again": [Path(folder) / "warm"] * options.rounds,
            }
            for process, places in caches.items():
                timing = summary([_seconds(path, picture, cache=place) for place in places])
                figures = f"{timing.median:.2f} ({timing.lower:.2f} to {timing.upper:.2f})"
                print(f"| {name} | {options.size_px} | {process} | {figures} |", flush=True)


def _seconds(path: Path, picture: Path, *, cache: Path) -> float:
    environment = {**os.environ, CACHE_VARIABLE: str(cache)}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", PROGRAM, path, picture], env=environment, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(tyro.cli(Options))
