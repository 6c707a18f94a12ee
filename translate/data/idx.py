"""Files of MNIST's format (idx), plain or gzipped: strict, since they come from anywhere.

Two zero bytes, the type (8: unsigned bytes, the only one that pictures and labels have), the number of axes, the length
of each axis as big-endian 32-bit integers, then the values. Nothing may be missing and nothing may follow.
"""

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from translate.data.array_limits import DEFAULT_ARRAY_LIMITS, ArrayLimits, refuse_array, require_room

_GZIP: Final = b"\x1f\x8b"
_UNSIGNED_BYTE: Final = 8
_REMEDY: Final = "copy it again from where it came"


def read_idx(path: Path, *, axes: int, limits: ArrayLimits = DEFAULT_ARRAY_LIMITS) -> npt.NDArray[np.uint8]:
    """Read a file of unsigned bytes.

    Args:
        path: The file; whether it is gzipped is told by its content.
        axes: How many axes it has to have: 3 for pictures (N x H x W), 1 for labels.
        limits: What it may have at most.

    Returns:
        uint8, of the shape that the header states.

    Raises:
        DatasetError: For a file that cannot be read, or is not exactly what its header says.
    """
    if not path.is_file():
        raise refuse_array(path, "is not a file: check its name")
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == _GZIP
            plain.seek(0)
            if not zipped:
                return _read(plain, path, axes, limits, packed=None)
            with gzip.GzipFile(fileobj=plain) as unpacked:
                return _read(unpacked, path, axes, limits, packed=path.stat().st_size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise refuse_array(path, f"the gzip file is cut short or damaged ({problem}): {_REMEDY}") from problem
    except OSError as problem:
        raise refuse_array(
            path, f"cannot be read ({problem.strerror or problem}): check that it may be read"
        ) from problem


def _read(
    file: BufferedIOBase, path: Path, axes: int, limits: ArrayLimits, *, packed: int | None
) -> npt.NDArray[np.uint8]:
    shape = _read_shape(file, path, axes)
    _require_sides(path, shape, limits)
    size = math.prod(shape)
    require_room(path, "the array", size, packed, limits)
    header = 4 + 4 * axes
    if packed is None and path.stat().st_size != header + size:
        raise refuse_array(path, f"has {path.stat().st_size} bytes where its header needs {header + size}: {_REMEDY}")
    values = np.empty(size, np.uint8)
    _fill(file, values, path)
    if file.read(1):
        raise refuse_array(path, f"goes on after the {size} values that its header states: {_REMEDY}")
    return values.reshape(shape)


def _read_shape(file: BufferedIOBase, path: Path, axes: int) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\x00\x00":
        raise refuse_array(path, "is not an idx file: it has to begin with two zero bytes")
    if magic[2] != _UNSIGNED_BYTE or magic[3] != axes:
        raise refuse_array(
            path,
            f"has values of type {magic[2]} on {magic[3]} axes, where unsigned bytes (type 8) on {axes} are needed",
        )
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise refuse_array(path, f"ends within its header: {_REMEDY}")
    return struct.unpack(f">{axes}I", lengths)


def _require_sides(path: Path, shape: tuple[int, ...], limits: ArrayLimits) -> None:
    if 0 in shape:
        raise refuse_array(path, f"holds nothing: its shape is {' x '.join(map(str, shape))}")
    if max(shape[1:], default=0) > limits.max_side_px:
        raise refuse_array(path, f"has pictures of {shape[1]} x {shape[2]} px; the limit is {limits.max_side_px}")


def _fill(file: BufferedIOBase, values: npt.NDArray[np.uint8], path: Path) -> None:
    """Read into `values` until they are full. Raises DatasetError where the file ends before."""
    room = values.data
    done = 0
    while done < len(room):
        count = file.readinto(room[done : done + 2**24])
        if not count:
            raise refuse_array(path, f"ends after {done} of {len(room)} values: {_REMEDY}")
        done += count
