"""The snapshots of one run: newest first, the last few and the best kept, publish before prune."""

import logging
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from translate.errors import ModelError
from translate.storage.atomic import sweep, temporary_beside
from translate.storage.snapshot import Snapshot, read_snapshot, write_snapshot

_log = logging.getLogger(__name__)
_PREFIX = "images-"
_NAME = re.compile(rf"{_PREFIX}(\d+)")


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
        names = (_NAME.fullmatch(path.name) for path in self.folder.glob(f"{_PREFIX}*"))
        return sorted(int(name[1]) for name in names if name)

    def save(self, images: int, snapshot: Snapshot, *, best: int | None) -> None:
        """Write a snapshot, then drop old ones but for the last few and the best.

        Snapshots beyond this one were damaged, or it would not be written: they go too, else they would count as
        the newest and push whole ones out.
        """
        sweep(self.folder)
        if not self._is_whole(images):
            self._drop(images)
            write_snapshot(self.path(images), snapshot)
        self._prune(images, best)

    def newest(self, tensors: Collection[str] | None = None) -> Snapshot:
        """The newest snapshot that is whole; a damaged one is passed over with a warning.

        `tensors` as in `read_snapshot`. Raises ModelError where there is none.
        """
        for images in reversed(self.all()):
            try:
                return read_snapshot(self.path(images), tensors=tensors)
            except ModelError as problem:
                _log.warning("Passing over a damaged checkpoint: %s", problem)
        raise ModelError(
            f"{self.folder} holds no whole checkpoint ({len(self.all())} damaged): copy it again from where it is "
            "whole, or train anew under another --name"
        )

    def read(self, images: int, tensors: Collection[str] | None = None) -> Snapshot:
        """The snapshot at `images`; `tensors` as in `read_snapshot`."""
        return read_snapshot(self.path(images), tensors=tensors)

    def _prune(self, newest: int, best: int | None) -> None:
        kept = [images for images in self.all() if images <= newest][-self.keep :]
        for images in self.all():
            if images not in kept and images != best:
                self._drop(images)

    def _drop(self, images: int) -> None:
        """Rename, then remove: a kill in between leaves a temporary folder, never half a snapshot."""
        path = self.path(images)
        if path.exists():
            shutil.rmtree(path.rename(temporary_beside(path)))

    def _is_whole(self, images: int) -> bool:
        try:
            read_snapshot(self.path(images))
        except ModelError:
            return False
        return True
