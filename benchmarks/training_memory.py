"""Peak memory of one contender of the training benchmark, in a process that does nothing else.

On a CPU the peak resident memory beyond what Python and its libraries took before; on a GPU what torch allocated there.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from benchmarks.contenders import Workload, steps, use


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which contender."""

    system: str
    """Of `benchmarks.contenders.REFERENCES`."""
    size_px: int
    """Side of the pictures."""
    batch_size: int
    """Samples a step."""
    contender: str
    """Its name."""
    device: str
    """cpu or cuda."""
    threads: int = 0
    """0: all cores."""


def peak_memory_mb(work: Workload, contender: str, device: str, threads: int) -> float:
    """Of two iterations, started as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training_memory", "--contender", contender, "--device", device]
    command += ["--system", work.system, "--size-px", str(work.size_px), "--batch-size", str(work.batch_size)]
    done = subprocess.run([*command, "--threads", str(threads)], stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main(options: Options) -> None:
    """Print MB."""
    use(options.threads)
    device = torch.device(options.device)
    work = Workload(system=options.system, size_px=options.size_px, batch_size=options.batch_size)
    before_mb = _resident_mb("VmRSS")
    (step,) = steps(work, device, (options.contender,), compiled=True).values()
    for _ in range(2):
        step()
    is_gpu = device.type == "cuda"
    print(torch.cuda.max_memory_allocated(device) / 2**20 if is_gpu else _resident_mb("VmHWM") - before_mb)


def _resident_mb(which: str) -> float:
    # Not getrusage: its peak starts with that of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


if __name__ == "__main__":
    main(tyro.cli(Options))
