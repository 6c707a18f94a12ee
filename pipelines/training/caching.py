"""`--cache`: where decoded pictures are kept, and what is told while they are made."""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress
from tyro.constructors import PrimitiveConstructorSpec

from pipelines.telling import counting_bar
from translate.data.store import Store
from translate.errors import ConfigurationError
from translate.runtime.cores import usable_cores
from translate.storage.cache import cache_folder

_PLAIN_LINE_EVERY_SEC: Final = 30.0


def default_folder() -> Path:
    """Where pictures are kept if nobody says where. Raises ConfigurationError where there is no home."""
    try:
        return cache_folder() / "pictures"
    except RuntimeError as problem:
        raise ConfigurationError("--cache: there is no home folder to keep it in: give one (--cache DIR)") from problem


def _folder(words: Sequence[str]) -> Path:
    if len(words) > 1:
        raise ValueError("one folder at most")
    return Path(words[0]) if words else default_folder()


CACHE_FOLDER: Final = PrimitiveConstructorSpec[Path | None](
    nargs="*",
    metavar="[DIR]",
    instance_from_str=_folder,
    is_instance=lambda value: value is None or isinstance(value, Path),
    str_from_instance=lambda value: [] if value is None else [str(value)],
)
"""An option that may stand without a folder."""


@contextmanager
def picture_store(folder: Path, console: Console) -> Generator[Store]:
    """The store in a folder; while it makes pictures, it is told how many are done, and how long the rest will take."""
    with counting_bar(console, transient=True) as shown:
        yield Store(folder=folder, threads=usable_cores(), progress=_Told(shown, console))


class _Told:
    """A bar, or where it cannot be drawn, a line now and then."""

    def __init__(self, shown: Progress, console: Console) -> None:
        self._shown = shown
        self._console = console
        self._task = shown.add_task("Caching pictures", visible=False)
        self._began = self._printed = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """So many samples of so many are behind us."""
        if done == 1:
            self._begin(total)
        self._shown.update(self._task, completed=done, total=total, visible=True)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._printed > _PLAIN_LINE_EVERY_SEC:
            self._printed = now
            left_sec = round((now - self._began) / done * (total - done))
            self._console.print(f"Caching pictures: {done:,} of {total:,}, {left_sec // 60}:{left_sec % 60:02d} left")

    def _begin(self, total: int) -> None:
        """Each pile of pictures is counted by itself."""
        self._shown.reset(self._task, total=total)
        self._began = self._printed = time.monotonic()
