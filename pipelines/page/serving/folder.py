"""The page's own folder: where uploads and results lie, how much they take, and when they go."""

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from translate.errors import StorageError

_PARTLY: Final = 1.0


class Folder:
    """A private folder below the system's temporary one, deleted at the end.

    A thread looks through it every second: it measures what lies there and deletes what is older than `keep_sec`,
    except what was there when the page began (its examples).

    `scratch` is another one, with a ceiling of its own, for what a model writes and reads while it works: it is nobody
    else's matter how much that is, and it does not grow old.
    """

    def __init__(
        self, *, ceiling_bytes: int, keep_sec: float, scratch_bytes: int = 0, every_sec: float = _PARTLY
    ) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="pixturn-page-")).resolve()
        self.scratch = Path(tempfile.mkdtemp(prefix="pixturn-page-scratch-")).resolve()
        self.scratch_bytes = scratch_bytes
        self.ceiling_bytes = ceiling_bytes
        self._keep_sec = keep_sec
        self._every_sec = every_sec
        self._kept: frozenset[Path] = frozenset()
        self._measured = 0
        self._since = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="page-folder", daemon=True)

    def begin(self) -> None:
        """From now on what comes is temporary: start looking through it."""
        self._kept = frozenset(self._files())
        self._thread.start()

    def new(self, suffix: str) -> Path:
        """A fresh place for a result, in a folder of its own that nobody can guess.

        Raises:
            StorageError: what lies here takes more than the ceiling.
        """
        if not self.takes(0):
            raise StorageError("The server's disk space for pictures is full: try again later")
        place = self.path / "results" / secrets.token_hex(16)
        place.mkdir(parents=True)
        return place / f"result{suffix}"

    def holds(self, path: str | Path) -> bool:
        """Whether a path, its links followed, lies in here."""
        try:
            return Path(path).resolve(strict=True).is_relative_to(self.path)
        except (OSError, ValueError, RuntimeError):
            return False

    def takes(self, more_bytes: int) -> bool:
        """Whether so much more fits below the ceiling; counted as taken until it is measured anew."""
        if self._measured + self._since + more_bytes > self.ceiling_bytes:
            return False
        self._since += more_bytes
        return True

    def sweep(self) -> None:
        """Delete what is too old, and measure the rest."""
        self._since = 0
        oldest = time.time() - self._keep_sec
        total = 0
        for file in self._files():
            with contextlib.suppress(OSError):
                status = file.stat(follow_symlinks=False)
                if status.st_mtime < oldest and file not in self._kept:
                    file.unlink()
                    _drop_empty(file.parent, self.path)
                else:
                    total += status.st_size
        self._measured = total

    def close(self) -> None:
        """Stop, and delete everything."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _watch(self) -> None:
        while not self._ended.wait(self._every_sec):
            self.sweep()

    def _files(self) -> list[Path]:
        return [Path(place, name) for place, _, names in os.walk(self.path) for name in names]


def _drop_empty(place: Path, top: Path) -> None:
    while place != top:
        place.rmdir()  # OSError, where something else is in there, ends it
        place = place.parent
