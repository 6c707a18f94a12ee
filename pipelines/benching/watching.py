"""What is shown while contenders take turns: a bar with the time left, and Ctrl-C that ends it with what there is."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from pipelines.benching import timing
from pipelines.stopping import StopRequest, listening
from pipelines.telling import printable

_FILE_WIDTH: Final = 160
"""Of tables in a file or a pipe, where there is no terminal to fit."""


class Watch(timing.Watch, Protocol):
    """Told besides what comes next."""

    def expect(self, words: str, units: float) -> None:
        """What is being measured now, and how much work is left with it."""
        ...


class Shown:
    """A bar on the terminal; see Watch."""

    def __init__(self, progress: Progress, stop: StopRequest) -> None:
        self._progress = progress
        self._stop = stop
        self._total = 0.0
        self._done = 0.0
        self._bar: TaskID = progress.add_task("Measuring", total=None)

    def expect(self, words: str, units: float) -> None:
        """See Watch."""
        self._total = self._done + units
        self._progress.update(self._bar, description=words, total=self._total)

    def advance(self, units: float) -> None:
        """See Watch."""
        self._done += units
        self._progress.update(self._bar, completed=min(self._done, self._total))

    def asks_to_stop(self) -> bool:
        """See timing.Watch: whether Ctrl-C or SIGTERM came."""
        return bool(self._stop)


@contextmanager
def watched() -> Generator[tuple[Shown, StopRequest]]:
    """Within, a bar on standard error, and signals that ask to stop rather than end the process."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with (
        listening() as stop,
        Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as progress,
    ):
        yield Shown(progress, stop), stop


def warn(words: str) -> None:
    """A line on standard error, to be seen."""
    Console(stderr=True).print(printable(words), style="yellow", highlight=False, markup=False, soft_wrap=True)


def show_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of the command's result; all but the first column are figures. In a file no row is cut."""
    table = Table(title=title, title_justify="left")
    for index, head in enumerate(heads):
        table.add_column(head, justify="left" if index == 0 else "right", no_wrap=index == 0)
    for row in rows:
        table.add_row(*row)
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=_FILE_WIDTH)
    console.print(table, highlight=False, markup=False)


def first_line(problem: BaseException, most: int = 160) -> str:
    """What a failure says, in one line."""
    said = next((line.strip() for line in str(problem).splitlines() if line.strip()), "") or type(problem).__name__
    return said if len(said) <= most else f"{said[: most - 4]} ..."
