"""A folder that is there whole or not at all: written beside its place, and renamed once it is on the disk."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from translate.storage.atomic import sync_folder, temporary_beside

_USUAL_MODE: Final = 0o777


@contextmanager
def written_whole(folder: Path, *, unfinished: Path | None = None, mode: int = _USUAL_MODE) -> Generator[Path]:
    """Gives a new folder to write into, which becomes `folder` at the end; after an error it is removed.

    Files that have to outlive a power cut are to be written with `write_through`; their names are kept here.

    Args:
        folder: May be there only if it is empty; the folder around it has to be there.
        unfinished: What the folder is called until then, in the same place; what an interrupted try left there is
            removed. None: a name of its own each time, which `sweep` knows.
        mode: Of the folder, as `mkdir` takes it.

    Raises:
        OSError: The disk does not take it, or something is in the way.
    """
    place = unfinished or temporary_beside(folder)
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(mode=mode)
        yield place
        sync_folder(place)
        place.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)
