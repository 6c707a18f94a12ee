"""Arrays in files as a collection: idx files as MNIST has them, or numpy's .npz."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from translate.data.array_limits import ArrayLimits
from translate.data.collection import ArrayPart, Labels, Part
from translate.data.folders import SPLITS
from translate.data.idx import read_idx
from translate.data.npz import read_npz
from translate.errors import DatasetError

_IDX: Final = re.compile(
    r"(?:.*[-_.])?(train|t10k|test|val|validation)[-_.](images|labels)[-_.]idx([13])[-_.]ubyte(\.gz)?", re.IGNORECASE
)
_IDX_SPLITS: Final = {**SPLITS, "t10k": "test"}
_AXES: Final = {"images": 3, "labels": 1}

Found = tuple[dict[str, Part], tuple[str, ...]]


def find_idx(root: Path, limits: ArrayLimits) -> Found | None:
    """The splits of a folder with idx files, such as `train-images-idx3-ubyte.gz`; None where there are none.

    A plain file goes before a gzipped one of the same name. Labels are optional.

    Raises:
        DatasetError: For files that are damaged, or do not belong together.
    """
    files = _idx_files(root) if root.is_dir() else {}
    splits: dict[str, Part] = {}
    for split in ("train", "validation", "test"):
        pictures = files.get((split, "images"))
        if pictures is not None:
            splits[split] = _idx_part(pictures, files.get((split, "labels")), limits)
    if files and "train" not in splits:
        raise DatasetError(f"{root}: holds idx files, but no train-images-idx3-ubyte (or .gz): add it")
    return (splits, ()) if splits else None


def find_npz(root: Path, limits: ArrayLimits) -> Found | None:
    """The splits of a .npz file, or of a folder with `train.npz` (`validation.npz`, `test.npz`) or a single one.

    Raises:
        DatasetError: For files that are damaged, or do not belong together.
    """
    files = _npz_files(root)
    if not files:
        return None
    read = {split: read_npz(path, limits=limits) for split, path in files.items()}
    splits: dict[str, Part] = {
        split: _part(files[split], arrays.values, arrays.labels) for split, arrays in read.items()
    }
    _refuse_other_shapes(files, splits)
    named = {split: arrays.names for split, arrays in read.items() if arrays.names}
    if len(set(named.values())) > 1:
        raise DatasetError(f"{root}: the files name different classes: give them the same `classes`")
    return splits, next(iter(named.values()), ())


def _idx_files(root: Path) -> dict[tuple[str, str], Path]:
    found: dict[tuple[str, str], list[tuple[str, Path]]] = {}
    for path in sorted(root.iterdir()):
        match = _IDX.fullmatch(path.name)
        if match and _AXES[match[2].lower()] == int(match[3]):
            part = (_IDX_SPLITS[match[1].lower()], match[2].lower())
            found.setdefault(part, []).append((path.name.removesuffix(".gz"), path))
    for files in found.values():
        if len({name for name, _ in files}) > 1:
            listed = ", ".join(path.name for _, path in files)
            raise DatasetError(f"{root}: {listed} are the same part: leave one there")
    return {part: files[0][1] for part, files in found.items()}


def _idx_part(pictures: Path, labels: Path | None, limits: ArrayLimits) -> ArrayPart:
    values = read_idx(pictures, axes=3, limits=limits)[..., np.newaxis]
    classes = None if labels is None else read_idx(labels, axes=1, limits=limits).astype(np.int64)
    if classes is not None and len(classes) != len(values):
        raise DatasetError(f"{labels}: has {len(classes)} labels for {len(values)} pictures in {pictures.name}")
    return _part(pictures, values, classes)


def _npz_files(root: Path) -> dict[str, Path]:
    if root.is_file():
        return {"train": root} if root.suffix.lower() == ".npz" else {}
    files = [path for path in sorted(root.iterdir()) if path.suffix.lower() == ".npz"]
    named: dict[str, Path] = {}
    for path in files:
        split = SPLITS.get(path.stem.lower())
        if split in named:
            raise DatasetError(f"{named[split]} and {path} both are the {split} file: rename or remove one")
        if split is not None:
            named[split] = path
    if "train" in named or not files:
        return named
    if len(files) == 1:
        return {"train": files[0]}
    raise DatasetError(f"{root}: holds {len(files)} .npz files, and none is train.npz: give one of them, or rename it")


def _part(path: Path, values: npt.NDArray[np.uint8] | npt.NDArray[np.float32], labels: Labels | None) -> ArrayPart:
    return ArrayPart(path=path, values=values, rows=np.arange(len(values)), labels=labels)


def _refuse_other_shapes(files: Mapping[str, Path], splits: Mapping[str, Part]) -> None:
    shapes = {split: part.values.shape[1:] for split, part in splits.items() if isinstance(part, ArrayPart)}
    odd = [
        split
        for split, shape in shapes.items()
        if len(shape) != len(shapes["train"]) or shape[-1] != shapes["train"][-1]
    ]
    if odd:
        raise DatasetError(
            f"{files[odd[0]]}: samples are {shapes[odd[0]]}, those of {files['train'].name} {shapes['train']}: "
            "give both the same kind and channels"
        )
