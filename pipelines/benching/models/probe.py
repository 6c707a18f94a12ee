"""A process of its own for one way: says when the first picture is there, and how much memory it took.

    python -m pipelines.benching.models.probe NAME DEVICE COMPUTE SIDE_PX RUNS [DIRECTION]

writes `first` once a made-up picture has gone through, and then the peak of its memory in MB.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from pipelines.benching.machine import peak_memory_mb
from pipelines.benching.models.subjects import subject_of
from pipelines.benching.models.ways import Way
from pipelines.load import Device
from translate.runtime.openvino_model import Compute


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """Of a fresh process: seconds from its start to the first picture, and the most memory that it held."""

    first_picture_sec: float
    memory_mb: float


def fresh(way: Way, side_px: int, runs: Path) -> Fresh:
    """What a way takes in a process of its own. Raises OSError or ValueError where that fails."""
    words = [way.name, way.device, way.compute, str(side_px), str(runs)]
    words += [] if way.direction is None else [way.direction]
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", __spec__.name, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        answers = cast("IO[str]", child.stdout)
        first = answers.readline()
        taken = time.perf_counter() - start
        rest = answers.read()
    if first.strip() != "first":
        raise ValueError(f"a process of its own could not run it (exit code {child.returncode})")
    return Fresh(first_picture_sec=taken, memory_mb=float(rest))


def main(name: str, device: str, compute: str, side_px: str, runs: str, direction: str | None = None) -> None:
    """What the child does."""
    way = Way(name=name, words="", device=cast("Device", device), compute=cast("Compute", compute), direction=direction)
    subject_of(way.open(Path(runs)), picture=None).call(int(side_px), 1)()
    _answer("first")
    _answer(str(peak_memory_mb()))


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
