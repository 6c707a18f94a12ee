"""What this machine is, and whether it is free: figures taken beside other work say little."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from translate.runtime.cores import usable_cores

_BUSY_SHARE: Final = 0.25
"""Of the cores that other work may take before figures are called into question."""
_NUMBER_FORMATS: Final = ("avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")
_MEGABYTE: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The processor, the cores that this process may use, and how busy they were before anything was measured."""

    processor: str
    cores: int
    load: float
    """Threads that were running or waiting to, on average over the last minute."""

    @classmethod
    def now(cls) -> "Machine":
        """This machine, at this moment."""
        return cls(processor=processor(), cores=usable_cores(), load=load_average())

    @property
    def warning(self) -> str | None:
        """What to tell where other work is running."""
        if self.load <= _BUSY_SHARE * self.cores:
            return None
        return (
            f"Other work is running (load average {self.load:.1f} on {self.cores} cores). Contenders take turns, but "
            "all are slower than alone, those most whose threads wait for one another: measure again when it is quiet"
        )


def load_average() -> float:
    """Over the last minute; 0 where the system does not say."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


def processor() -> str:
    """The processor's name, with what it has for small numbers."""
    lines = _lines(Path("/proc/cpuinfo"))
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    fast = [flag for flag in _NUMBER_FORMATS if flag in flags]
    name = named[0] if named else platform.processor() or platform.machine()
    return f"{name} ({', '.join(fast)})" if fast else name


def peak_memory_mb() -> float:
    """The most memory that this process has held so far; 0 where the system does not say."""
    # Not getrusage: its peak starts with that of the process that started this one.
    lines = _lines(Path("/proc/self/status"))
    return next((int(line.split()[1]) * 1024 / _MEGABYTE for line in lines if line.startswith("VmHWM")), 0.0)


def free_memory_bytes() -> int | None:
    """What new work may take without the system running short; None where the system does not say."""
    lines = _lines(Path("/proc/meminfo"))
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
