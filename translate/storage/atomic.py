"""Writing files so that a power cut, a kill or a full disk leaves the old one whole: tmp, fsync, rename, fsync."""

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from translate.errors import StorageError

# EFBIG is what a process limit on file sizes gives; EDQUOT a user's quota.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
TEMPORARY = ".tmp-"


def temporary_beside(path: Path) -> Path:
    """The name under which `path` is written before it is whole."""
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace a file by new content; text is UTF-8. Raises StorageError where there is no room."""
    temporary = temporary_beside(path)
    data = content.encode() if isinstance(content, str) else content
    with room_for(path, len(data)):
        try:
            write_through(temporary, data)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_through(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the folder's entries are on the disk: a rename is not durable before that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def room_for(path: Path, need_bytes: int) -> Generator[None]:
    """Turn a full disk into a StorageError with the path, the need and the free space."""
    try:
        yield
    except OSError as problem:
        if problem.errno in _FULL:
            raise no_room(path, need_bytes) from problem
        raise


def no_room(path: Path, need_bytes: int) -> StorageError:
    """The error for a full disk, ready to be raised."""
    free = shutil.disk_usage(path.parent if path.parent.exists() else Path()).free
    return StorageError(
        f"No room for {path}: it needs {need_bytes / 1e6:.1f} MB, and {free / 1e6:.1f} MB are free "
        "(or a quota or file-size limit was met). What was saved before is whole. Make room, then resume."
    )
