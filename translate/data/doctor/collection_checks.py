"""The doctor on a collection: what is unreadable, too small, twice there, or in training and test alike."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from translate.data.array_limits import DEFAULT_ARRAY_LIMITS, ArrayLimits
from translate.data.collection import ArrayPart, Collection, FilePart, Part
from translate.data.collection_finding import SamplePort, find_collection
from translate.data.doctor.diagnosis import REMEDIES, Problem
from translate.data.doctor.facts import Facts, View, gather
from translate.data.doctor.file_checks import check_file, check_listing
from translate.data.folders import list_folder
from translate.data.pictures import DEFAULT_LIMITS, Limits
from translate.errors import DatasetError

LEAST_OF_A_CLASS: Final = 10
"""Training pictures; a class with fewer is worth a warning."""

_SHOWN: Final = 20
_MAX_THREADS: Final = 4  # a picture at the limit of 40 MP takes up to a gigabyte while it is decoded

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """One sample as the checks see it. `digest` is empty where it cannot be read or may well repeat."""

    split: str
    label: int
    path: Path
    name: str
    digest: str = ""
    width_px: int = 0
    height_px: int = 0


def examine_collection(
    root: Path,
    port: SamplePort,
    *,
    classes: int | None = None,
    names: Sequence[str] = (),
    crop_px: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
    array_limits: ArrayLimits = DEFAULT_ARRAY_LIMITS,
    on_progress: OnProgress | None = None,
) -> list[Problem]:
    """Look at every sample of a collection, and list all problems.

    Pictures of mixed sizes are fine. Points may repeat.

    Args:
        root: A folder, or a .npz file.
        port: What a sample has to be.
        classes: As in `find_collection`.
        names: As in `find_collection`.
        crop_px: The side of training pictures; files that are shorter are worth a warning. None: not looked at.
        limits: What a picture file may have at most.
        array_limits: What an array may have at most.
        on_progress: Called with the number of samples looked at, and of all.

    Returns:
        Problems in the order of `REMEDIES`; never raises for what is wrong with the data.
    """
    try:
        collection = find_collection(root, port, classes=classes, names=names, limits=array_limits)
    except DatasetError as problem:
        message = str(problem).removeprefix(f"{root}: ")
        return [Problem(code="layout", severity="error", paths=(root,), message=message)]
    problems: list[Problem] = []
    samples: list[_Sample] = []
    total = sum(len(part) for part in collection.splits.values())
    for split, part in collection.splits.items():
        told = _told(on_progress, len(samples), total)
        samples += _look(split, part, limits, problems, told)
    problems += [*_small_classes(collection), *_too_small(samples, crop_px), *_repeats(collection, samples)]
    order = list(REMEDIES)
    return sorted(problems, key=lambda problem: (order.index(problem.code), problem.paths))


def _told(on_progress: OnProgress | None, before: int, total: int) -> Callable[[int], None]:
    return lambda done: on_progress(before + done, total) if on_progress else None


def _look(
    split: str, part: Part, limits: Limits, problems: list[Problem], told: Callable[[int], None]
) -> list[_Sample]:
    if isinstance(part, ArrayPart):
        told(len(part))
        return _look_at_rows(split, part)
    problems += check_listing(list_folder(part.folder, part.folder))
    return _look_at_files(split, part, limits, problems, told)


def _look_at_rows(split: str, part: ArrayPart) -> list[_Sample]:
    """No digest of points, and none of pictures of one colour, which may repeat."""
    labels = _labels_of(part)
    return [
        _Sample(
            split=split,
            label=label,
            path=part.path,
            name=f"sample {key}",
            digest="" if part.are_points or (value == value[:1, :1]).all() else _digest(value),
        )
        for value, label, key in zip(part.values, labels, part.keys, strict=True)
    ]


def _look_at_files(
    split: str, part: FilePart, limits: Limits, problems: list[Problem], told: Callable[[int], None]
) -> list[_Sample]:
    """Decoding leaves the interpreter's lock, so threads are enough."""

    def read(path: Path) -> Facts:
        return gather(path, (View(),), limits)

    paths = [item.sources[0].path for item in part.items]
    samples: list[_Sample] = []
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        facts_of_all = pool.map(read, paths)
        for path, label, facts in zip(paths, _labels_of(part), facts_of_all, strict=True):
            problems += check_file(path, facts)
            samples.append(_sample_of(split, label, path, facts))
            told(len(samples))
    return samples


def _sample_of(split: str, label: int, path: Path, facts: Facts) -> _Sample:
    if not facts.contents:
        return _Sample(split=split, label=label, path=path, name=path.name)
    content = facts.contents[0]
    return _Sample(
        split=split,
        label=label,
        path=path,
        name=path.name,
        digest="" if content.flat else content.digest,
        width_px=content.width_px,
        height_px=content.height_px,
    )


def _labels_of(part: Part) -> list[int]:
    """-1 where there are none."""
    return [-1] * len(part) if part.labels is None else part.labels.tolist()


def _digest(value: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(value).data).hexdigest()


def _small_classes(collection: Collection) -> Iterator[Problem]:
    part = collection.train
    if part.labels is None:
        return
    place = part.folder if isinstance(part, FilePart) else part.path
    counts = np.bincount(part.labels, minlength=len(collection.names)).tolist()
    for name, count in zip(collection.names, counts, strict=True):
        if count < LEAST_OF_A_CLASS:
            path = place / name if isinstance(part, FilePart) else place
            message = f"the class {name} has {count} training samples; {LEAST_OF_A_CLASS} are the least to learn from"
            yield Problem(code="small_class", severity="warning", paths=(path,), message=message)


def _too_small(samples: list[_Sample], crop_px: int | None) -> Iterator[Problem]:
    for sample in samples:
        if crop_px and sample.width_px and min(sample.width_px, sample.height_px) < crop_px:
            message = f"{sample.width_px} x {sample.height_px} px, and training pictures have {crop_px} px"
            yield Problem(code="too_small", severity="warning", paths=(sample.path,), message=message)


def _repeats(collection: Collection, samples: list[_Sample]) -> Iterator[Problem]:
    groups: dict[str, list[_Sample]] = {}
    for sample in samples:
        if sample.digest:
            groups.setdefault(sample.digest, []).append(sample)
    for group in groups.values():
        if len(group) > 1:
            yield from _repeat(collection, group)


def _repeat(collection: Collection, group: list[_Sample]) -> Iterator[Problem]:
    """One picture several times: across splits an error, across classes and within a split a warning."""
    paths = tuple(dict.fromkeys(sample.path for sample in group))
    which = ", ".join(f"{sample.name} of {sample.split}" for sample in group[:_SHOWN])
    splits = [split for split in collection.splits if any(sample.split == split for sample in group)]
    labels = sorted({sample.label for sample in group if sample.label >= 0})
    if len(splits) > 1:
        message = f"the same picture is in the splits {' and '.join(splits)} ({which})"
        yield Problem(code="leak", severity="error", paths=paths, message=message)
    if len(labels) > 1:
        classes = " and ".join(collection.names[label] for label in labels)
        message = f"the same picture is in the classes {classes} ({which})"
        yield Problem(code="two_classes", severity="warning", paths=paths, message=message)
    elif len(splits) == 1:
        message = f"{len(group)} samples of the {splits[0]} split are the same picture ({which})"
        yield Problem(code="duplicate", severity="warning", paths=paths, message=message)
