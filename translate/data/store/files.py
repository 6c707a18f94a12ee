"""Which content a file has: known from its size and times, as long as those stay."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from translate.data.items import Source
from translate.storage.atomic import write_atomically

Sources = tuple[Source, ...]
"""Of one sample, one for each port."""

_NAME: Final = "files.json"
_SETTLED_NS: Final = 2_000_000_000
"""A file that was changed less long ago may change again without a trace: clocks of file systems are coarse."""


class Stamp(NamedTuple):
    """Size in bytes, and times of the last change of content and of anything, in nanoseconds.

    The second one cannot be set by programs, so a copy that keeps its time is noticed too.
    """

    size: int
    changed_ns: int
    touched_ns: int


class Known(NamedTuple):
    """The digest of a file's content, and the stamp that the file had then; none where it says nothing."""

    stamp: Stamp | None
    digest: str


def stamp_of(path: Path) -> Stamp | None:
    """The stamp of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def is_settled(stamp: Stamp) -> bool:
    """Whether another change would change the stamp."""
    return time.time_ns() - max(stamp.changed_ns, stamp.touched_ns) > _SETTLED_NS


def digest_of(content: bytes) -> str:
    """128 bits of BLAKE2b: contents are told apart, not authenticated."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def key_of(sources: Sources, digests: Mapping[Path, str]) -> str:
    """The key of a sample: the contents of its files, and which part of them it takes."""
    parts = ",".join(f"{digests[source.path]}:{source.half}" for source in sources)
    return digest_of(parts.encode())


def read_known(folder: Path) -> dict[str, Known]:
    """By path; nothing where the note is missing or damaged: files are then read again, but not decoded."""
    try:
        noted = json.loads((folder / _NAME).read_bytes())
        return {path: Known(Stamp(*numbers), digest) for path, (*numbers, digest) in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_known(folder: Path, known: Mapping[str, Known]) -> None:
    """Replace the note. Raises StorageError."""
    noted = {path: [*stamp, digest] for path, (stamp, digest) in known.items() if stamp is not None}
    write_atomically(folder / _NAME, json.dumps(noted))
