"""How many cores this process may use: what its affinity and its control group allow, not what the machine has."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")


def usable_cores(root: Path = _ROOT) -> int:
    """The cores to compute with, at least 1; a quota of 1.5 cores counts as 2.

    Args:
        root: where /proc and /sys lie.
    """
    return max(1, min([_allowed(), *(math.ceil(quota) for quota in _quotas(root))]))


def _allowed() -> int:
    """The cores that this process may be put on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Every limit on this process's control group and those above it, in cores."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, place = line.split(":", 2)
        for above in (Path(place), *Path(place).parents):
            # In a container the path may be the host's; then the container's own group is the mount itself.
            yield from _quota(root / "sys/fs/cgroup" / above.relative_to("/"))
            if "cpu" in controllers.split(","):
                yield from _quota_of_version_1(root / "sys/fs/cgroup/cpu" / above.relative_to("/"))


def _quota(group: Path) -> Iterator[float]:
    """`cpu.max` says `max 100000` or `150000 100000`: microseconds of computing in so many of time."""
    return _ratio(_text(group / "cpu.max").split())


def _quota_of_version_1(group: Path) -> Iterator[float]:
    return _ratio([_text(group / "cpu.cfs_quota_us").strip(), _text(group / "cpu.cfs_period_us").strip()])


def _ratio(words: list[str]) -> Iterator[float]:
    if len(words) == 2 and all(word.isdigit() and int(word) for word in words):  # "max" and -1 are no limit
        yield int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
