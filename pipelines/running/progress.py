"""What is shown while pictures go through a model."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.progress import Progress, TaskID

from pipelines.telling import counting_bar


class CountingProgress:
    """A bar that is drawn once there is something to count: what is refused before leaves none behind."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._shown: Progress | None = None
        self._bar: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show how many of how many are done."""
        if self._shown is None or self._bar is None:
            self._shown = counting_bar()
            self._shown.start()
            self._bar = self._shown.add_task(self._words, total=total)
        self._shown.update(self._bar, completed=done, total=total)

    def end(self) -> None:
        """Leave the bar as it is. The next call begins another."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


class TileProgress(CountingProgress):
    """A bar for the tiles of a picture; the last tile ends it."""

    def __init__(self) -> None:
        super().__init__("Tiles")

    def __call__(self, done: int, total: int) -> None:
        """Show it."""
        super().__call__(done, total)
        if done == total:
            self.end()


@contextmanager
def counting_progress(words: str) -> Generator[Callable[[int, int], None]]:
    """A bar with those words, from the first count to the end of the context."""
    shown = CountingProgress(words)
    try:
        yield shown
    finally:
        shown.end()
