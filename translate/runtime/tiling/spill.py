"""Maps that wait on disk, written and read tile by tile.

Plain reads and writes rather than memory maps: the pages of a map would count as memory of this process. A file has
no name (or, on Windows, is deleted when it is closed), so nothing is left behind whatever happens, not even by kill -9.
"""

import math
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from translate.errors import StorageError

Box = tuple[int, int, int, int]
"""Top, bottom, left, right; bottom and right are one beyond the last."""


@dataclass(frozen=True, kw_only=True)
class MapKind:
    """A map of C x H x W numbers, kept in blocks of all channels and `block_height` x `block_width` places."""

    channels: int
    height: int
    width: int
    block_height: int
    block_width: int
    dtype: np.dtype[Any]

    @property
    def block_bytes(self) -> int:
        """What one whole block takes."""
        return self.channels * self.block_height * self.block_width * self.dtype.itemsize

    @property
    def columns(self) -> int:
        """Blocks side by side."""
        return math.ceil(self.width / self.block_width)

    @property
    def total_bytes(self) -> int:
        """What the file takes at most."""
        return math.ceil(self.height / self.block_height) * self.columns * self.block_bytes


def require_space(folder: Path, need_bytes: int) -> None:
    """Raise StorageError, with path, need and free space, where a folder's disk has no room for what is needed."""
    free = shutil.disk_usage(folder).free
    if need_bytes > free:
        raise StorageError(
            f"{folder}: the maps of this large picture need {need_bytes / 1e6:.0f} MB of disk for a while, and "
            f"{free / 1e6:.0f} MB are free there. Make room, or name another folder with --scratch"
        )


class SpilledMap:
    """One map on disk. Write whole blocks (less at the map's end), then read any box; close it, or use `with`."""

    def __init__(self, kind: MapKind, folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def write(self, top: int, left: int, numbers: NDArray[Any]) -> None:
        """Write C x h x w numbers that begin at a block's corner.

        Raises:
            StorageError: the disk is full.
        """
        bottom, right = top + numbers.shape[1], left + numbers.shape[2]
        for index, (one, two, three, four) in self._blocks((top, bottom, left, right)):
            block = np.ascontiguousarray(numbers[:, one - top : two - top, three - left : four - left])
            self._write_all(index * self.kind.block_bytes, memoryview(block.data).cast("B"))

    def read(self, box: Box) -> NDArray[Any]:
        """The C x h x w numbers in a box, of what was written."""
        top, bottom, left, right = box
        numbers = np.empty((self.kind.channels, bottom - top, right - left), self.kind.dtype)
        for index, (one, two, three, four) in self._blocks(box):
            block = self._read_block(index, one, three)
            up, side = one - one % self.kind.block_height, three - three % self.kind.block_width
            inside = block[:, one - up : two - up, three - side : four - side]
            numbers[:, one - top : two - top, three - left : four - left] = inside
        return numbers

    def _blocks(self, box: Box) -> Iterator[tuple[int, Box]]:
        """The index of each block that a box touches, and what of the box lies in it."""
        top, bottom, left, right = box
        for one, two in _cuts(top, bottom, self.kind.block_height):
            for three, four in _cuts(left, right, self.kind.block_width):
                row, column = one // self.kind.block_height, three // self.kind.block_width
                yield row * self.kind.columns + column, (one, two, three, four)

    def _read_block(self, index: int, row: int, column: int) -> NDArray[Any]:
        """The whole block that holds a place; those at the map's end are smaller."""
        kind = self.kind
        height = min(kind.block_height, kind.height - row // kind.block_height * kind.block_height)
        width = min(kind.block_width, kind.width - column // kind.block_width * kind.block_width)
        block = np.empty((kind.channels, height, width), kind.dtype)
        self._file.seek(index * kind.block_bytes)
        view = memoryview(block.data).cast("B")
        while view:
            view = view[_some(self._file.readinto(view)) :]
        return block

    def _write_all(self, offset: int, view: memoryview) -> None:
        try:
            self._file.seek(offset)
            while view:
                view = view[_some(self._file.write(view)) :]
        except OSError as problem:
            free = shutil.disk_usage(self._folder).free
            raise StorageError(
                f"{self._folder}: could not write ({problem.strerror}) one of the maps of this large picture, of "
                f"{self.kind.total_bytes / 1e6:.0f} MB; {free / 1e6:.0f} MB are free there. Make room, or name another "
                "folder with --scratch"
            ) from problem


def _some(count: int | None) -> int:
    if not count:
        raise OSError(0, "the file ends early")
    return count


def _cuts(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """The stretches of `step` that start .. stop touches, cut to it."""
    while start < stop:
        end = min(stop, (start // step + 1) * step)
        yield start, end
        start = end
