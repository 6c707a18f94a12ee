"""Collections as numpy's .npz files: `x`, and where they have them `y` and `classes`. Nothing in them is executed.

- `x`: uint8 N x H x W (grey) or N x H x W x C with 1, 3 or 4 channels; or floats N x D: points.
- `y`: integers N from 0, the class of each sample.
- `classes`: strings, the names of the classes.

Other arrays in the file are left unread.
"""

import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from translate.data.array_limits import DEFAULT_ARRAY_LIMITS, ArrayLimits, refuse_array, require_room

_REMEDY: Final = "write it again with numpy.savez"
_HEADERS: Final = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_CHANNELS: Final = (1, 3, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class NpzArrays:
    """What a file holds. `values`: uint8 N x H x W x C for pictures, float32 N x D for points; `labels`: int64 N."""

    values: npt.NDArray[np.uint8] | npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What is written before the values of one array."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


def read_npz(path: Path, *, limits: ArrayLimits = DEFAULT_ARRAY_LIMITS) -> NpzArrays:
    """Read a file; every size is checked against the headers before memory is taken for it.

    Raises:
        DatasetError: For a file that is damaged, over the limits, or does not hold what this module describes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            there = {info.filename: info for info in archive.infolist()}
            if "x.npy" not in there:
                found = ", ".join(name.removesuffix(".npy") for name in there) or "nothing"
                raise refuse_array(path, f"holds {found}, but no x: save the samples as numpy.savez(..., x=..., y=...)")
            values = _values(path, _member(archive, there["x.npy"], path, limits), limits)
            labels = _member(archive, there["y.npy"], path, limits) if "y.npy" in there else None
            names = _member(archive, there["classes.npy"], path, limits) if "classes.npy" in there else None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as problem:
        raise refuse_array(path, f"is not a sound .npz file ({problem}): {_REMEDY}") from problem
    except OSError as problem:
        raise refuse_array(
            path, f"cannot be read ({problem.strerror or problem}): check that it may be read"
        ) from problem
    classes = None if labels is None else _labels(path, labels, len(values))
    return NpzArrays(values=values, labels=classes, names=_names(path, names, classes))


def count_samples(path: Path) -> int:
    """How many samples a file states; its values are not read.

    Raises:
        DatasetError: For a file without a sound header of `x`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _header(archive, archive.getinfo("x.npy"), path, DEFAULT_ARRAY_LIMITS).shape[0]
    except (zipfile.BadZipFile, zlib.error, KeyError, IndexError, OSError, ValueError) as problem:
        raise refuse_array(path, f"is no .npz file with an x ({problem}): {_REMEDY}") from problem


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, limits: ArrayLimits
) -> npt.NDArray[np.generic]:
    _header(archive, info, path, limits)
    with archive.open(info) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, limits: ArrayLimits) -> _Header:
    what = info.filename.removesuffix(".npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise refuse_array(path, f"{what} has a header of version {version}: {_REMEDY}")
        shape, _, dtype = _HEADERS[version](file)
        before = file.tell()
    if dtype.hasobject or dtype.kind not in "uifbU":
        raise refuse_array(path, f"{what} holds values of type {dtype}: use plain numbers (names: strings)")
    size = math.prod(shape) * dtype.itemsize
    packed = None if info.compress_type == zipfile.ZIP_STORED else info.compress_size
    require_room(path, what, size, packed, limits)
    if before + size != info.file_size:
        raise refuse_array(path, f"{what} has {info.file_size} bytes where its header needs {before + size}: {_REMEDY}")
    return _Header(shape=shape, dtype=dtype)


def _values(
    path: Path, values: npt.NDArray[np.generic], limits: ArrayLimits
) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    if 0 in values.shape or not values.shape:
        raise refuse_array(path, f"x holds nothing: its shape is {values.shape}")
    if values.dtype.kind == "f" and values.ndim == 2:
        return _points(path, values)
    if values.dtype == np.uint8 and values.ndim in (3, 4):
        pictures = values.reshape(*values.shape[:3], -1)
        if pictures.shape[3] in _CHANNELS and max(pictures.shape[1:3]) <= limits.max_side_px:
            return np.ascontiguousarray(pictures, np.uint8)
    raise refuse_array(
        path,
        f"x is {values.dtype} {' x '.join(map(str, values.shape))}: save pictures as uint8 N x H x W or N x H x W x C "
        f"(C is 1, 3 or 4, up to {limits.max_side_px} px), points as floats N x D",
    )


def _points(path: Path, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        points = values.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise refuse_array(path, f"x has {len(bad)} points that are not finite, the first is number {bad[0]}: fix them")
    return points


def _labels(path: Path, labels: npt.NDArray[np.generic], count: int) -> npt.NDArray[np.int64]:
    if labels.dtype.kind not in "uib" or labels.shape != (count,):
        raise refuse_array(
            path, f"y is {labels.dtype} {labels.shape}: give one whole number from 0 for each of {count} x"
        )
    top = int(labels.max())
    if int(labels.min()) < 0 or top > np.iinfo(np.int32).max:
        raise refuse_array(path, f"y goes from {labels.min()} to {top}: number the classes 0, 1, 2, ...")
    return labels.astype(np.int64)


def _names(path: Path, names: npt.NDArray[np.generic] | None, labels: npt.NDArray[np.int64] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    if names.dtype.kind != "U" or names.ndim != 1:
        raise refuse_array(path, f"classes is {names.dtype} {names.shape}: give one string for each class")
    if labels is not None and len(names) <= labels.max():
        raise refuse_array(path, f"classes has {len(names)} names, and y goes up to {labels.max()}: name them all")
    return tuple(str(name) for name in names)
