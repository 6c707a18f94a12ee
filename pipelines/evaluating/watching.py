"""A bar with the time left, for reading pictures and for looking at them."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import TaskID

from pipelines.evaluating.sets import LeftOut, PictureSet
from pipelines.evaluating.sets import Progress as Told
from pipelines.telling import counting_bar, printable, say

_LISTED = 10


@contextmanager
def watched() -> Generator[Told]:
    """Within, bars on the terminal: one for each thing that is being done."""
    with counting_bar() as shown:
        bars: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = shown.add_task(printable(what), total=total)
            shown.update(bars[what], completed=done, total=total)

        yield tell


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
