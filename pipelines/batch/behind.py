"""Writing behind: results are encoded and written in threads, as many at once as there is room for."""

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from pipelines.batch.ahead import Loaded
from pipelines.batch.failures import Failure
from pipelines.batch.results import Results
from translate.errors import PictureError
from translate.runtime.codec import Made

_ROOM_PIXELS: Final = 48_000_000
"""Waiting to be written at once: 144 MB of colours."""


class Behind:
    """A context within which results are handed over to be written; at its end, all are.

    Left by an error, it finishes the files that are being written and drops the others.

    Args:
        results: writes one sample's.
        threads: that encode and write.
        most: samples at most that wait or are being written.
        done: is told, in the caller's thread, how each came out: None, or why it was refused.
    """

    def __init__(self, results: Results, *, threads: int, most: int, done: Callable[[Failure | None], None]) -> None:
        self._results = results
        self._most = most
        self._done = done
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="pixturn-write")
        self._waiting = deque[tuple[Future[Failure | None], int]]()
        self._pixels = 0

    def write(self, loaded: Loaded, outputs: Mapping[str, Made]) -> None:
        """Hand over one sample's results; waits while there is no room. Raises StorageError for an earlier one."""
        pixels = sum(made.shape[0] * made.shape[1] for made in outputs.values())
        while self._waiting and (self._waiting[0][0].done() or self._is_full(pixels)):
            self._finish_one()
        self._pixels += pixels
        self._waiting.append((self._pool.submit(_written, self._results, loaded, outputs), pixels))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Finish, or after an error: stop."""
        try:
            while self._waiting and kind is None:
                self._finish_one()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def _is_full(self, pixels: int) -> bool:
        return len(self._waiting) >= self._most or self._pixels + pixels > _ROOM_PIXELS

    def _finish_one(self) -> None:
        writing, pixels = self._waiting.popleft()
        self._pixels -= pixels
        self._done(writing.result())


def _written(results: Results, loaded: Loaded, outputs: Mapping[str, Made]) -> Failure | None:
    errand, sample = loaded
    try:
        results.write(outputs, sample.carried, errand.targets)
    except PictureError as problem:
        return Failure.of(errand.sources[0], problem)
    return None
