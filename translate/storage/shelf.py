"""The snapshots of one run: newest first, the last few and the best kept, publish before prune."""

import logging
import shutil
from pathlib import Path

from translate.errors import ModelError
from translate.storage.atomic import TEMPORARY, temporary_beside
from translate.storage.snapshot import Snapshot, read_snapshot, write_snapshot

_log = logging.getLogger(__name__)
_PREFIX = "images-"


class Shelf:
    """Snapshots in `folder`, one sub-folder each, named by the images seen."""

    def __init__(self, folder: Path, *, keep: int = 3) -> None:
        self.folder = folder
        self.keep = keep

    def path(self, images: int) -> Path:
        """Where the snapshot at `images` lies."""
        return self.folder / f"{_PREFIX}{images:012d}"

    def all(self) -> list[int]:
        """The images seen at every snapshot there is, in rising order."""
        return sorted(int(path.name.removeprefix(_PREFIX)) for path in self.folder.glob(f"{_PREFIX}*"))

    def save(self, images: int, snapshot: Snapshot, *, best: int | None) -> None:
        """Write a snapshot, then drop old ones but for the last few and the best."""
        self.sweep()
        if not self._is_whole(images):
            self._drop(images)
            write_snapshot(self.path(images), snapshot)
        self._prune(best)

    def newest(self) -> Snapshot:
        """The newest snapshot that is whole; a damaged one is passed over with a warning.

        Raises ModelError where there is none.
        """
        for images in reversed(self.all()):
            try:
                return read_snapshot(self.path(images))
            except ModelError as problem:
                _log.warning("Passing over a damaged checkpoint: %s", problem)
        raise ModelError(f"{self.folder} holds no whole checkpoint")

    def read(self, images: int) -> Snapshot:
        """The snapshot at `images`."""
        return read_snapshot(self.path(images))

    def sweep(self) -> None:
        """Remove what an interrupted write left behind."""
        for path in self.folder.glob(f"{TEMPORARY}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _prune(self, best: int | None) -> None:
        for images in self.all()[: -self.keep]:
            if images != best:
                self._drop(images)

    def _drop(self, images: int) -> None:
        """Rename, then remove: a kill in between leaves a temporary folder, never half a snapshot."""
        path = self.path(images)
        if path.exists():
            shutil.rmtree(path.rename(temporary_beside(path)))

    def _is_whole(self, images: int) -> bool:
        try:
            read_snapshot(self.path(images))
        except (ModelError, FileNotFoundError):
            return False
        return True
