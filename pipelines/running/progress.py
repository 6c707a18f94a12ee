"""What is shown while pictures go through a model, and what is said at the end."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class TileProgress:
    """A bar for the tiles of a picture, from the first tile on."""

    def __init__(self) -> None:
        self._shown: Progress | None = None
        self._bar: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show it. The last tile ends the bar."""
        if self._shown is None or self._bar is None:
            self._shown = Progress(*_columns("Tiles"), console=Console(stderr=True))
            self._shown.start()
            self._bar = self._shown.add_task("Tiles", total=total)
        self._shown.update(self._bar, completed=done, total=total)
        if done == total:
            self._shown.stop()
            self._shown = None


@contextmanager
def folder_progress() -> Generator[Callable[[int, int], None]]:
    """A bar for the pictures of a folder; it is told how many of how many are done."""
    with Progress(*_columns("Translating"), console=Console(stderr=True)) as shown:
        bar = shown.add_task("Translating", total=None)
        yield lambda done, total: shown.update(bar, completed=done, total=total)


def say(words: str) -> None:
    """One line on standard output."""
    printable = words.encode(errors="backslashreplace").decode()  # a name may be no text
    Console(file=sys.stdout).print(printable, highlight=False, markup=False, soft_wrap=True)


def _columns(words: str) -> tuple[ProgressColumn, ...]:
    return TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True)
