"""A file of many pictures: whole or absent, never changed, read through a memory map.

    pixels of one array after the other, each at a multiple of 64 | index as JSON | footer

The footer says where the index lies and what its SHA-256 is; the index says where each array lies, and its CRC-32.
"""

import contextlib
import hashlib
import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

import numpy as np

from translate.storage.atomic import sync_folder, temporary_beside

SUFFIX: Final = ".pixels"
FULL_BYTES: Final = 256_000_000
"""The size from which a shard is published and the next one is begun."""
_ALIGNMENT: Final = 64
_FOOTER: Final = struct.Struct("<8sQQ32s")
_MAGIC: Final = b"pixturn1"


class Place(NamedTuple):
    """Where an array lies in its shard, its height and width in pixels, and its CRC-32."""

    offset: int
    height: int
    width: int
    crc: int


class Record(NamedTuple):
    """A sample: the digests of its files' contents, and its arrays; none of them: the files were refused."""

    contents: tuple[str, ...]
    places: tuple[Place, ...]


class DamagedShardError(Exception):
    """A file that is cut, changed or no shard at all; who finds it makes it anew."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """The index of a shard: records by key."""

    path: Path
    records: Mapping[str, Record]
    size: int
    """Of the file, in bytes."""


class ShardWriter:
    """Writes a shard under another name; `publish` gives it its own, `abandon` leaves nothing."""

    def __init__(self, folder: Path) -> None:
        self._temporary = temporary_beside(folder / "shard")
        self._file: IO[bytes] = self._temporary.open("wb")
        self._records: dict[str, Record] = {}
        self.size = 0
        """Bytes so far."""

    def add(self, key: str, contents: Iterable[str], arrays: Iterable[np.ndarray]) -> None:
        """Append a sample: its files' digests and its arrays, H x W or H x W x C. Raises OSError."""
        places = tuple(self._append(np.ascontiguousarray(array)) for array in arrays)
        self._records[key] = Record(tuple(contents), places)

    def publish(self) -> Path | None:
        """Close the file, and let it be found; None where nothing is in it. Raises OSError."""
        if not self._records:
            return self.abandon()
        self._file.seek(self.size)  # an array whose writing was interrupted is left out
        self._file.truncate()
        self._write(self._ending())
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        path = self._temporary.with_name(f"{self._temporary.name.rpartition('-')[2]}{SUFFIX}")
        self._temporary.rename(path)
        sync_folder(path.parent)
        return path

    def abandon(self) -> None:
        """Remove what was written."""
        with contextlib.suppress(OSError):  # a full disk refuses what was not written yet
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _append(self, array: np.ndarray) -> Place:
        self._write(bytes(-self.size % _ALIGNMENT))
        offset, pixels = self.size, array.data.cast("B")
        self._write(pixels)
        return Place(offset, array.shape[0], array.shape[1], zlib.crc32(pixels))

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.size += len(data)

    def _ending(self) -> bytes:
        index = json.dumps(self._records).encode()
        return index + _FOOTER.pack(_MAGIC, self.size, len(index), hashlib.sha256(index).digest())


class Shards:
    """A context within which samples are written, shard after shard; at its end the last one is published.

    Ended by an error of the disk, the last one is left out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: ShardWriter | None = None
        self._published = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._published + (self._writer.size if self._writer else 0)

    def add(self, key: str, contents: Iterable[str], arrays: Iterable[np.ndarray]) -> bool:
        """Append a sample, as `ShardWriter.add`; whether this made a shard full. Raises OSError."""
        self._writer = self._writer or ShardWriter(self._folder)
        self._writer.add(key, contents, arrays)
        if self._writer.size < FULL_BYTES:
            return False
        self._finish(self._writer)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._writer is not None and isinstance(error, OSError):
            self._writer.abandon()
        elif self._writer is not None:
            self._finish(self._writer)

    def _finish(self, writer: ShardWriter) -> None:
        try:
            writer.publish()
        except OSError:
            writer.abandon()
            raise
        self._published += writer.size
        self._writer = None


def read_shard(path: Path) -> Shard:
    """The index of a shard. Raises DamagedShardError, and OSError for a file that is not there or cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        start, length, digest = _ends(file, size)
        file.seek(start)
        index = file.read(length)
    if hashlib.sha256(index).digest() != digest:
        raise DamagedShardError(f"{path}: its index is damaged")
    records = {key: _record(contents, places) for key, (contents, places) in json.loads(index).items()}
    return Shard(path=path, records=records, size=size)


def _record(contents: Iterable[str], places: Iterable[Iterable[int]]) -> Record:
    return Record(tuple(contents), tuple(Place(*place) for place in places))


def map_shard(path: Path, size: int) -> mmap.mmap | None:
    """The bytes of a shard, which stay where the file is removed; None where it is gone, or not of this size."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # ValueError: an empty file
        return None
    return mapped if len(mapped) == size else None


def _ends(file: IO[bytes], size: int) -> tuple[int, int, bytes]:
    """Start and length of the index, and its digest."""
    file.seek(max(0, size - _FOOTER.size))
    footer = file.read()
    if len(footer) != _FOOTER.size:
        raise DamagedShardError(f"{file.name}: is cut short")
    magic, start, length, digest = _FOOTER.unpack(footer)
    if magic != _MAGIC or start + length + _FOOTER.size != size:
        raise DamagedShardError(f"{file.name}: is cut short, or no shard")
    return start, length, digest
