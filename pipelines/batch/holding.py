"""A folder of results belongs to one process at a time."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from translate.errors import ConfigurationError
from translate.storage.atomic import room_for


@contextmanager
def held(out: Path) -> Generator[None]:
    """Make the folder, and hold it for this process; the hold ends with the process, however that ends.

    Raises:
        ConfigurationError: another process writes there.
        StorageError: the folder cannot be made.
    """
    with room_for(out, 0):
        out.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows: nobody keeps two processes apart there
        yield
        return
    handle = os.open(out, os.O_RDONLY)  # the folder itself, so that no file of ours lies among the results
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as problem:
        raise ConfigurationError(
            f"-o {out}: another process writes there: wait until it ends, or choose another place"
        ) from problem
    finally:
        os.close(handle)
