"""Which models were tried before, so that the trial is paid once: a note a model in the user's cache folder.

A note is named by the model's SHA-256 and by what tried it. Where it cannot be written the trial is paid again; that
is all. Deleting the folder is safe.
"""

import contextlib
from pathlib import Path
from typing import Final

from translate.errors import StorageError
from translate.storage.atomic import write_atomically
from translate.storage.cache import cache_folder

_ONLY_THE_USER: Final = 0o700


def is_approved(sha256: str, tried_by: str) -> bool:
    """Whether this model was tried before by this version of the same thing."""
    try:
        return _note(sha256, tried_by).is_file()
    except (OSError, RuntimeError):
        return False


def approve(sha256: str, tried_by: str) -> None:
    """Note that a model was tried and is fit to be loaded."""
    with contextlib.suppress(OSError, RuntimeError, StorageError):
        note = _note(sha256, tried_by)
        note.parent.mkdir(mode=_ONLY_THE_USER, parents=True, exist_ok=True)
        write_atomically(note, f"{sha256} was loaded and run by {tried_by}\n")


def _note(sha256: str, tried_by: str) -> Path:
    return cache_folder() / "approved" / f"{sha256}-{tried_by}"
