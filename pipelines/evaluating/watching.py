"""A bar with the time left, for reading pictures and for looking at them."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipelines.evaluating.sets import LeftOut, PictureSet
from pipelines.evaluating.sets import Progress as Told

_LISTED = 10


@contextmanager
def watched() -> Generator[Told]:
    """Within, bars on the terminal: one for each thing that is being done."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    last = TimeRemainingColumn(elapsed_when_finished=True)
    with Progress(*columns, last, console=Console(stderr=True)) as shown:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = shown.add_task(printable(what), total=total)
            shown.update(bars[what], completed=done, total=total)

        yield tell


def printable(words: str) -> str:
    """Names of files may be no text: what cannot be printed becomes backslashes."""
    return words.encode(errors="backslashreplace").decode()


def say(words: str) -> None:
    """A line of the command's result."""
    Console(file=sys.stdout).print(printable(words), highlight=False, markup=False, soft_wrap=True)


def say_left_out(sets: Sequence[PictureSet]) -> None:
    """Why pictures were left out, the first ten of each set."""
    for pictures in sets:
        for each in pictures.left_out[:_LISTED]:
            say(f"  left out: {_reason(each)}")
        if len(pictures.left_out) > _LISTED:
            say(f"  and {len(pictures.left_out) - _LISTED} more of {pictures.where}: all are in the JSON file")


def say_written(*paths: Path) -> None:
    """Where the results are."""
    say(f"Written: {', '.join(map(str, paths))}")


def _reason(each: LeftOut) -> str:
    return f"{each.message} ({each.reason})"
