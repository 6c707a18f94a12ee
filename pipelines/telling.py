"""What commands say on the terminal: lines of their result, and a bar for what takes long."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def printable(words: str) -> str:
    """Names of files may be no text: what cannot be printed becomes backslashes."""
    return words.encode(errors="backslashreplace").decode()


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 picture, 2 pictures."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def say(words: str) -> None:
    """A line of the command's result, on standard output."""
    Console(file=sys.stdout).print(printable(words), highlight=False, markup=False, soft_wrap=True)


def counting_bar(console: Console | None = None, *, transient: bool = False) -> Progress:
    """Bars that count how many of how many are done, each with its description and the time left.

    Args:
        console: where they are drawn; None: on standard error.
        transient: whether they are gone at the end.
    """
    left = TimeRemainingColumn(elapsed_when_finished=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), left)
    return Progress(*columns, console=console or Console(stderr=True), transient=transient)
