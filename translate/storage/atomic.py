"""Writing files so that a power cut, a kill or a full disk leaves the old one whole: tmp, fsync, rename, fsync."""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from translate.errors import StorageError

TEMPORARY = ".tmp-"
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)
"""Not for want of room: a place where nothing of ours may be."""
_OURS = re.compile(r"\.tmp-\d+-[0-9a-f]{12}")


def temporary_beside(path: Path) -> Path:
    """The name under which `path` is written before it is whole."""
    # Not made of the path's own name, which may be as long as names can be.
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{uuid.uuid4().hex[:12]}")


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
    """Wait until the folder's entries are on the disk: a rename is not durable before that.

    A folder that may be written and not read cannot be waited for.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what interrupted writes left in a folder that no other process is writing to."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if _OURS.fullmatch(path.name) is None:  # somebody's own, which only begins alike
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def room_for(path: Path, need_bytes: int) -> Generator[None]:
    """Turn a full disk, and any other refusal to write, into a StorageError with path, need and free space."""
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or str(problem)
        if problem.errno in _FORBIDDEN:
            raise _forbidden(path, reason) from problem
        raise no_room(path, need_bytes, reason) from problem


def require_place(path: Path) -> None:
    """Make sure, before long work, that a file may be made there. Raises StorageError where it may not."""
    home = next(folder for folder in path.parents if folder.exists())
    if not home.is_dir():
        raise _forbidden(path, os.strerror(errno.ENOTDIR))
    if not os.access(home, os.W_OK):
        raise _forbidden(path, os.strerror(errno.EACCES))


def _forbidden(path: Path, reason: str) -> StorageError:
    return StorageError(f"{path} cannot be written ({reason}): choose another place, or change its permissions")


def no_room(path: Path, need_bytes: int, reason: str = "no space left") -> StorageError:
    """The error for a disk that is full or does not take the bytes, ready to be raised."""
    free = shutil.disk_usage(path.parent if path.parent.exists() else Path()).free
    return StorageError(
        f"Could not write {path} ({reason}): it needs {need_bytes / 1e6:.3f} MB, and {free / 1e6:.3f} MB are free "
        "there; a quota or a limit on file sizes may be lower. Make room, then give the same command again "
        "(train: with --resume; the checkpoint before is whole)"
    )
