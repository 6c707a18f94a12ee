"""The folder of the stores: finds what is there, has the rest made, removes what is of no more use."""

import contextlib
import fcntl
import hashlib
import json
import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from translate.data.augmentation import limit_threads
from translate.data.store.building import Builder, Progress
from translate.data.store.contents import Contents, read_contents
from translate.data.store.files import Sources, write_known
from translate.data.store.kept import Kept
from translate.data.store.preparation import Preparation
from translate.errors import ConfigurationError, StorageError
from translate.storage.atomic import sweep, write_atomically

_LOG = logging.getLogger(__name__)

_ABOUT: Final = "about.json"
_LOCK: Final = ".lock"


def _tell_nobody(done: int, total: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """Prepared pictures of data sets, below a folder. Any number of runs may use it at once: one makes, others wait."""

    folder: Path
    """Where all of them lie, a folder for each data set and preparation."""
    threads: int = 1
    """That read and prepare pictures."""
    progress: Progress = _tell_nobody
    """Is told how many samples of how many are behind us, while any are made."""

    def keep(self, root: Path, items: Sequence[Sources], preparation: Preparation) -> Kept:
        """The prepared pictures of samples; those that are missing are made first.

        Args:
            root: the data set's folder.
            items: the sources of each sample, one for each port.
            preparation: what is done to them.

        Raises:
            ConfigurationError: where the folder cannot be written.
            StorageError: where the disk is full. What was made is kept.
        """
        name = hashlib.sha256(f"{root.resolve()}\n{preparation.key}".encode()).hexdigest()[:20]
        home = self.folder / name
        contents = read_contents(home)
        if contents.lacking(items):
            with _locked(home):
                _describe(home, root, preparation)
                contents = self._completed(home, items, preparation)
        return Kept(preparation, [contents.find(sources) for sources in items])

    def _completed(self, home: Path, items: Sequence[Sources], preparation: Preparation) -> Contents:
        sweep(home)
        read_contents(home).remove_useless()
        contents = read_contents(home)
        builder = Builder(home, preparation, threads=self.threads, progress=self.progress)
        limit_threads()
        try:
            builder.build(contents.lacking(items), contents.keys)
        finally:
            with contextlib.suppress(StorageError):  # files are read again then, but not decoded
                write_known(home, {**contents.known, **{str(path): file for path, file in builder.files.items()}})
        return read_contents(home, builder.files)


@contextmanager
def _locked(home: Path) -> Generator[None]:
    """Hold the folder for this process; where another one makes pictures there, wait until it is done."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / _LOCK).open("w")
    except OSError as problem:
        raise ConfigurationError(
            f"{home} cannot be written ({problem.strerror or problem}): choose another folder for the cache (--cache "
            "DIR), or leave --cache out"
        ) from problem
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _LOG.info("Another run is filling the cache %s: waiting for it", home)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as problem:
            raise ConfigurationError(
                f"{home} cannot be locked ({problem.strerror or problem}): choose another disk for the cache "
                "(--cache DIR), or leave --cache out"
            ) from problem
        yield


def _describe(home: Path, root: Path, preparation: Preparation) -> None:
    """Tell people whose cache this is."""
    about = {"data": str(root.resolve()), **json.loads(preparation.key)}
    write_atomically(home / _ABOUT, json.dumps(about, indent=1))
