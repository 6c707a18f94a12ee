"""What `pixturn check` says of samples of one domain: with classes or without, in files or in arrays. No torch."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from rich.console import Console

from pipelines.check import print_groups
from pipelines.telling import counted
from translate.card import Picture, Vector
from translate.data.collection import ArrayPart, Collection
from translate.data.collection_finding import scan_collection
from translate.data.doctor import Problem, examine_collection
from translate.errors import DatasetError

_DOMAINS = 2


def is_collection(root: Path) -> bool:
    """Whether a data set is surely of one domain: arrays, or pictures in the folders of three classes or more."""
    try:
        found = scan_collection(root)
    except DatasetError:
        return False
    return isinstance(found.train, ArrayPart) or len(found.names) > _DOMAINS


def may_be_classes(root: Path) -> bool:
    """Whether the two folders of a data set may hold two classes as well as two domains: a and b are domains."""
    try:
        names = scan_collection(root).names
    except DatasetError:
        return False
    return len(names) == _DOMAINS and {name.lower() for name in names} != {"a", "b"}


def tell_of_classes(root: Path, console: Console | None = None) -> None:
    """Print how a data set of two folders is read where these are classes."""
    first, second = scan_collection(root).names
    (console or Console()).print(
        f"Are {first} and {second} two classes, rather than pictures and what they are to become? For methods that "
        "learn classes: pixturn check DIR --recipe cgan",
        highlight=False,
        soft_wrap=True,
    )


def has_points(root: Path) -> bool:
    """Whether the samples are points rather than pictures. Raises DatasetError for what cannot be understood."""
    return isinstance(_port(scan_collection(root)), Vector)


def check_collection(
    root: Path, *, crop_px: int | None, estimate: Callable[[], str] | None = None, console: Console | None = None
) -> int:
    """Look at every sample, and print all problems and what would be trained on.

    Args:
        root: The data set's folder.
        crop_px: The side of training pictures; None: not known, so no file is too small.
        estimate: Says time and memory of the training; it is asked only if there is something to train on.
        console: Where to print.

    Returns:
        The exit code: 0, or 3 where there are errors.
    """
    console = console or Console()
    found = scan_collection(root)
    files = not isinstance(found.train, ArrayPart)
    problems = examine_collection(root, _port(found), crop_px=crop_px if files else None)
    errors = _of(problems, "error")
    print_groups("error", errors, root, console)
    print_groups("warning", _of(problems, "warning"), root, console)
    console.print(found.description, highlight=False)
    if found.names:
        console.print(f"classes: {', '.join(_counted(found))}", highlight=False, soft_wrap=True)
    console.print(
        f"{counted(len(errors), 'error')}, {counted(len(problems) - len(errors), 'warning')}", highlight=False
    )
    if estimate is not None and not errors:
        console.print(estimate(), highlight=False)
    return DatasetError.exit_code if errors else 0


def _port(found: Collection) -> Picture | Vector:
    if not isinstance(found.train, ArrayPart):
        return Picture(name="x", channels=3)
    if found.train.are_points:
        return Vector(name="x", size=found.train.values.shape[1])
    return Picture(name="x", channels=int(np.shape(found.train.values)[3]))


def _of(problems: Iterable[Problem], severity: str) -> list[Problem]:
    return [problem for problem in problems if problem.severity == severity]


def _counted(found: Collection) -> list[str]:
    labels = found.train.labels
    counts = np.bincount(labels, minlength=len(found.names)) if labels is not None else []
    return [f"{name} ({count})" for name, count in zip(found.names, counts, strict=True)]
