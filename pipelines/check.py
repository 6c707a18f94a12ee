"""What `pixturn check` does: the dataset doctor's findings, for people."""

from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from pipelines.telling import counted
from translate.data.doctor import Diagnosis, Problem, examine, examine_photos
from translate.data.found import Direction
from translate.data.holdout import hold_out
from translate.data.items import Layout, Split
from translate.errors import DatasetError

_SHOWN: Final = 10
_STYLES: Final = {"error": "bold red", "warning": "yellow"}


def check(
    root: Path,
    *,
    direction: Direction = "AtoB",
    paired: bool | None = None,
    a_kinds: tuple[str, ...] = ("rgb",),
    b_kinds: tuple[str, ...] = ("rgb",),
    crop_px: int = 256,
    validation_fraction: float = 0.1,
    validation_most: int = 200,
    cache: Path | None = None,
    estimate: Callable[[], str] | None = None,
    console: Console | None = None,
) -> int:
    """Look at every picture of a data set, and print all problems and what would be trained.

    Args:
        root: The data set's folder.
        direction: BtoA swaps the domains.
        paired: True: pair by name; False: no pairs; None: find out.
        a_kinds: What the pictures of one sample of "a" (the input) are: `rgb`, `grey`, `rgba`, `labels:N`.
        b_kinds: The same of "b".
        crop_px: The side of training crops.
        validation_fraction: Of the training pictures, where there is no validation split.
        validation_most: Pictures at most in such a split.
        cache: Where to remember what was seen; None: the user's cache folder.
        estimate: Says time and memory of the training; it is asked only if there is something to train on.
        console: Where to print.

    Returns:
        The exit code: 0, or 3 where there are errors.
    """
    console = console or Console()
    diagnosis = diagnose(
        root,
        console,
        direction=direction,
        paired=paired,
        a_kinds=a_kinds,
        b_kinds=b_kinds,
        crop_px=crop_px,
        cache=cache,
    )
    return _tell(diagnosis, validation_fraction, validation_most, estimate, console)


def check_photos(
    root: Path,
    *,
    kinds: tuple[str, ...] = ("rgb",),
    crop_px: int,
    validation_fraction: float = 0.1,
    validation_most: int = 200,
    cache: Path | None = None,
    estimate: Callable[[], str] | None = None,
    console: Console | None = None,
) -> int:
    """As `check`, for a folder of photos from which inputs are made, in albums or not."""
    console = console or Console()
    with reading_bar(console) as bar:
        task = bar.add_task("Reading pictures", total=None)
        diagnosis = examine_photos(
            root,
            kinds=kinds,
            crop_px=crop_px,
            cache=cache,
            on_progress=lambda done, of: bar.update(task, completed=done, total=of),
        )
    return _tell(diagnosis, validation_fraction, validation_most, estimate, console)


def _tell(
    diagnosis: Diagnosis,
    validation_fraction: float,
    validation_most: int,
    estimate: Callable[[], str] | None,
    console: Console,
) -> int:
    """Print problems and what would be trained; the exit code."""
    print_problems(diagnosis, console)
    layout = diagnosis.layout and hold_out(diagnosis.layout, validation_fraction, validation_most)
    _print_layout(layout, console)
    alone = _alone(layout) if validation_fraction > 0 and validation_most > 0 else None
    if alone is not None:
        console.print(Text(f"error: a single training picture in domain {alone}", "bold red"))
        console.print(Text("  fix: add pictures: one is held out to score the training by\n", "green"))
        return DatasetError.exit_code
    if estimate and layout and "train" in layout.splits:
        console.print(Text(estimate()))
    return _verdict(diagnosis, console)


def _alone(layout: Layout | None) -> str | None:
    """The domain of which no picture can be held out for validation, if there is one."""
    if layout is None or "train" not in layout.splits:
        return None
    held = layout.splits["validation"].domains if "validation" in layout.splits else {}
    train = layout.splits["train"].domains
    return next((domain for domain, items in train.items() if len(items) == 1 and not held.get(domain)), None)


def diagnose(
    root: Path,
    console: Console,
    *,
    direction: Direction,
    paired: bool | None,
    a_kinds: tuple[str, ...],
    b_kinds: tuple[str, ...],
    crop_px: int,
    cache: Path | None = None,
) -> Diagnosis:
    """Examine a data set behind a progress bar."""
    with reading_bar(console) as bar:
        task = bar.add_task("Reading pictures", total=None)
        return examine(
            root,
            direction=direction,
            paired=paired,
            a_kinds=a_kinds,
            b_kinds=b_kinds,
            crop_px=crop_px,
            cache=cache,
            on_progress=lambda done, of: bar.update(task, completed=done, total=of),
        )


def print_problems(diagnosis: Diagnosis, console: Console) -> None:
    """Print errors, then warnings, grouped by kind, each kind with its fix and up to ten of its files."""
    print_groups("error", diagnosis.errors, diagnosis.root, console)
    print_groups("warning", diagnosis.warnings, diagnosis.root, console)


def print_groups(word: Literal["error", "warning"], problems: Iterable[Problem], root: Path, console: Console) -> None:
    """Print problems of one severity that are in the order of their kinds."""
    for _, group in groupby(problems, key=lambda problem: problem.code):
        _print_group(word, _STYLES[word], list(group), root, console)


def _print_group(word: str, style: str, problems: list[Problem], root: Path, console: Console) -> None:
    headline = Text.assemble((f"{word}: ", style), (problems[0].title, "bold"), f" ({len(problems)})")
    console.print(headline)
    for problem in problems[:_SHOWN]:
        console.print(Text(f"  {_files(problem.paths, root)}: {problem.message}"), soft_wrap=True)
    if len(problems) > _SHOWN:
        console.print(Text(f"  +{len(problems) - _SHOWN} more"))
    console.print(Text(f"  fix: {problems[0].fix}\n", "green"), soft_wrap=True)


def _files(paths: Iterable[Path], root: Path) -> str:
    names = [str(path.relative_to(root)) if path != root and path.is_relative_to(root) else str(path) for path in paths]
    more = f" +{len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(ascii(name)[1:-1] if not name.isprintable() else name for name in names[:_SHOWN]) + more


def _print_layout(layout: Layout | None, console: Console) -> None:
    if layout is None:
        console.print(Text("Nothing can be trained on this folder as it is.", "bold"))
        return
    console.print(Text(layout.description), soft_wrap=True)
    counts = ", ".join(f"{name} {_count(split)}" for name, split in layout.splits.items())
    console.print(Text(f"Would be trained on: {counts}", "bold"), soft_wrap=True)


def _count(split: Split) -> str:
    if split.paired:
        return f"{len(split)} pairs"
    if len(split.domains) == 1:
        return counted(len(split), "picture")
    return " + ".join(f"{counted(len(items), 'picture')} of {domain}" for domain, items in split.domains.items())


def _verdict(diagnosis: Diagnosis, console: Console) -> int:
    errors, warnings = counted(len(diagnosis.errors), "error"), counted(len(diagnosis.warnings), "warning")
    counts = f"{errors}, {warnings} in {counted(diagnosis.pictures, 'file')}"
    console.print(Text(f"{counts}.", "bold red" if diagnosis.errors else "bold green"))
    return DatasetError.exit_code if diagnosis.errors else 0


def reading_bar(console: Console) -> Progress:
    """The bar that counts the pictures that were read."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)
