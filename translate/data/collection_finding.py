"""Find out, without being told, how the samples of one domain lie on disk.

Tried in this order; the first that fits is taken:

1. idx files in the folder: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`, gzipped or not.
2. numpy: a `.npz` file, or a folder with `train.npz` (and `validation.npz`, `test.npz`) or with a single one; its
   arrays are `x`, and where they have them `y` and `classes` (`translate.data.npz`).
3. Pictures in one folder a class: `train/CLASS/...` with `val` and `test` beside it, or `CLASS/...`.
4. Pictures without classes: `train/...`, `trainA/...`, or one folder.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from translate.card import FixedPicture, Picture, Vector
from translate.data.array_limits import DEFAULT_ARRAY_LIMITS, ArrayLimits
from translate.data.collection import ArrayPart, Collection, FilePart, Part
from translate.data.collection_arrays import find_idx, find_npz
from translate.data.collection_files import find_files
from translate.data.description import described
from translate.errors import DatasetError

SamplePort = Picture | FixedPicture | Vector
"""What one sample may be: a picture, or a point."""

ACCEPTED: Final = (
    "a folder of pictures for each class (train/CLASS/..., or CLASS/...), one folder of pictures, idx files "
    "(train-images-idx3-ubyte, gzipped or not), or a .npz file with x and y"
)
_WORDS: Final = {"train": "training", "validation": "validation", "test": "test"}
_COLOURS: Final = {1: "grey", 3: "RGB", 4: "RGBA"}


def scan_collection(root: Path, *, names: Sequence[str] = (), limits: ArrayLimits = DEFAULT_ARRAY_LIMITS) -> Collection:
    """Whatever lies at `root`; no picture file is opened, arrays are read into memory.

    Args:
        root: A folder, or a .npz file.
        names: The classes' names, where the data do not say them; the `class_names` of a `dataset.json` in the folder
            come next, then "0", "1", ....
        limits: What an array may have at most.

    Raises:
        DatasetError: For what cannot be understood or used.
    """
    if not root.exists():
        raise DatasetError(f"{root}: there is no such folder or file: give {ACCEPTED}")
    found = find_idx(root, limits) or find_npz(root, limits) or (find_files(root) if root.is_dir() else None)
    if found is None:
        raise DatasetError(f"{root}: holds nothing that can be read: give {ACCEPTED}")
    splits, own_names = found
    named = _names(root, splits, own_names, tuple(names))
    ordered = {name: splits[name] for name in _WORDS if name in splits}
    return Collection(root=root, splits=ordered, names=named, description=_describe(ordered, named))


def find_collection(
    root: Path,
    port: SamplePort,
    *,
    classes: int | None = None,
    names: Sequence[str] = (),
    limits: ArrayLimits = DEFAULT_ARRAY_LIMITS,
) -> Collection:
    """What lies at `root`, if it is what a run is made for.

    Args:
        root: A folder, or a .npz file.
        port: What a sample has to be.
        classes: How many classes there have to be; None: labels are welcome and not needed.
        names: As in `scan_collection`.
        limits: As in `scan_collection`.

    Raises:
        DatasetError: For what cannot be understood, or is something else.
    """
    collection = scan_collection(root, names=names, limits=limits)
    for part in collection.splits.values():
        _require_port(part, port)
    return collection if classes is None else _with_classes(collection, classes)


def _names(root: Path, splits: dict[str, Part], own: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
    """The classes' names: given, of the data, of `dataset.json`, or numbers."""
    labels = [part.labels for part in splits.values() if part.labels is not None]
    if splits["train"].labels is None:
        return ()
    count = max(int(part.max()) for part in labels) + 1
    names = given or own or _described_names(root) or _numbers(count)
    if len(names) < count or (given and own and given != own):
        raise DatasetError(
            f"{root}: has {max(count, len(own))} classes, and {len(names)} names are given: name them all"
        )
    return names


def _described_names(root: Path) -> tuple[str, ...]:
    names: object = described(root).get("class_names")
    return tuple(str(name) for name in cast("list[object]", names)) if isinstance(names, list) else ()


def _require_port(part: Part, port: SamplePort) -> None:
    if isinstance(port, Vector):
        if isinstance(part, FilePart) or not part.are_points:
            raise DatasetError(f"{_place(part)}: holds pictures, and points are needed: save them as floats N x D")
        if part.values.shape[1] != port.size:
            raise DatasetError(f"{part.path}: points have {part.values.shape[1]} numbers, and {port.size} are needed")
    elif isinstance(part, ArrayPart) and part.are_points:
        raise DatasetError(f"{part.path}: holds points, and pictures are needed: save them as uint8 N x H x W x C")


def _with_classes(collection: Collection, classes: int) -> Collection:
    """Labels without names may leave the last classes empty."""
    root, names = collection.root, collection.names
    if not collection.is_labelled:
        raise DatasetError(
            f"{root}: the samples have no classes, and {classes} are needed: put the pictures into one folder a class, "
            "or give labels (a labels-idx1-ubyte file, or y in the .npz)"
        )
    if len(names) < classes and names == _numbers(len(names)):
        return replace(collection, names=_numbers(classes))
    if len(names) != classes:
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise DatasetError(f"{root}: has {len(names)} classes ({shown}), not {classes}: ask for as many as there are")
    return collection


def _numbers(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))


def _place(part: Part) -> Path:
    return part.folder if isinstance(part, FilePart) else part.path


def _describe(splits: dict[str, Part], names: tuple[str, ...]) -> str:
    counts = ", ".join(f"{len(part)} {_WORDS[name]}" for name, part in splits.items())
    classes = f"{len(names)} classes" if names else "no classes"
    return f"{_kind(splits['train'])}: {counts}; {classes}"


def _kind(part: Part) -> str:
    if isinstance(part, FilePart):
        return "pictures in folders"
    if part.are_points:
        return f"points of {part.values.shape[1]} numbers"
    height, width, channels = part.values.shape[1:]
    return f"{_COLOURS[channels]} pictures of {width} x {height} px"
