"""Making the pictures that a store lacks: prepared in threads, written in shards, none of it lost on a stop."""

import shutil
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from translate.data.pictures import read_bytes
from translate.data.refusals import OF_THE_MOMENT
from translate.data.store.files import Known, Sources, Stamp, digest_of, is_settled, key_of, stamp_of
from translate.data.store.preparation import Preparation
from translate.data.store.shard import Shards
from translate.errors import PictureError, StorageError

Progress = Callable[[int, int], None]
"""Is told how many samples of how many are done."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A sample: its key, its files as they were read, and its pictures.

    Without a key it could not be read now. `arrays` are None where they are in the store, and none where a picture is
    refused.
    """

    key: str | None = None
    files: Mapping[Path, Known] = field(default_factory=dict[Path, Known])
    arrays: Sequence[np.ndarray] | None = None


def make(sources: Sources, preparation: Preparation, is_there: Callable[[str], bool]) -> Made:
    """Read the files of a sample, and prepare its pictures unless they are there."""
    try:
        stamps = {source.path: stamp_of(source.path) for source in sources}
        contents = {path: read_bytes(path) for path in stamps}
        digests = {path: digest_of(content) for path, content in contents.items()}
        files = {path: Known(_lasting(path, stamp), digests[path]) for path, stamp in stamps.items()}
        key = key_of(sources, digests)
        arrays = None if is_there(key) else _read(sources, preparation, contents)
    except (PictureError, MemoryError):
        return Made()
    return Made(key=key, files=files, arrays=arrays)


def _read(sources: Sources, preparation: Preparation, contents: Mapping[Path, bytes]) -> Sequence[np.ndarray]:
    """The pictures, or none where the content of a file is refused. Raises PictureError where another try may do."""
    try:
        return preparation.read(sources, contents.__getitem__)
    except PictureError as problem:
        if problem.reason in OF_THE_MOMENT:
            raise
        return ()


def _lasting(path: Path, stamp: Stamp | None) -> Stamp | None:
    """The stamp, if the file was the same all the time, and will show by it that it changed when it does."""
    return stamp if stamp is not None and stamp == stamp_of(path) and is_settled(stamp) else None


class Builder:
    """Makes what is missing in the folder of a store.

    What is made stays, whatever ends it: shards that are full, and on Ctrl-C the one that is not.
    """

    def __init__(self, folder: Path, preparation: Preparation, *, threads: int, progress: Progress) -> None:
        self._folder = folder
        self._preparation = preparation
        self._threads = threads
        self._progress = progress
        self.files: dict[Path, Known] = {}
        """Those that were read so far."""

    def build(self, wanted: Sequence[Sources], there: Collection[str]) -> None:
        """Make samples; of those whose contents are `there`, only the files are looked at.

        Raises:
            StorageError: the disk is full, or will be, or does not take the bytes.
        """
        keys = set(there)
        with (
            self._room_for(len(wanted)),
            Shards(self._folder) as shards,
            ahead(lambda sources: make(sources, self._preparation, keys.__contains__), wanted, self._threads) as made,
        ):
            for done, sample in enumerate(made, 1):
                self.files |= sample.files
                if sample.key is not None and sample.arrays is not None and sample.key not in keys:
                    contents = [known.digest for known in sample.files.values()]
                    is_full = shards.add(sample.key, contents, sample.arrays)
                    keys.add(sample.key)
                    if is_full:
                        self._require_room(shards.size, done, len(wanted))
                self._progress(done, len(wanted))

    @contextmanager
    def _room_for(self, count: int) -> Generator[None]:
        try:
            yield
        except OSError as problem:
            raise self._no_room(f"could not be written ({problem.strerror or problem})", count) from problem

    def _require_room(self, size: int, done: int, count: int) -> None:
        """Refuse early what will not fit, judging by what was made so far."""
        need, free = size / done * (count - done), shutil.disk_usage(self._folder).free
        if need > free:
            all_gb, more_gb = (size + need) / 1e9, need / 1e9
            raise self._no_room(f"would take about {all_gb:.1f} GB, {more_gb:.1f} GB more than now", count)

    def _no_room(self, what: str, count: int) -> StorageError:
        free = shutil.disk_usage(self._folder).free
        return StorageError(
            f"{self._folder}: the cache of {count} samples {what}; {free / 1e9:.1f} GB are free there. What was made "
            "is kept: make room and give the same command again, name a folder on another disk (--cache DIR), or train "
            "without --cache"
        )


@contextmanager
def ahead(call: Callable[[Sources], Made], wanted: Sequence[Sources], threads: int) -> Generator[Iterator[Made]]:
    """An iterator over what `call` makes of each, in order; a few are made at once in threads, ahead of who takes them.

    At its end, what was not begun is dropped.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pixturn-cache")
    try:
        yield _in_order(pool, call, wanted, 2 * threads)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, call: Callable[[Sources], Made], wanted: Sequence[Sources], most: int
) -> Generator[Made]:
    waiting = deque[Future[Made]]()
    for sources in wanted:
        waiting.append(pool.submit(call, sources))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
