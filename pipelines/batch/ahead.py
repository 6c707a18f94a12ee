"""Reading ahead: files are read and decoded in threads, in order, as far as there is room."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Final

from pipelines.batch.failures import Failure
from pipelines.batch.plan import Errand
from pipelines.batch.reading import Opened, Reader, Sample
from pipelines.batch.room import Room
from translate.errors import PictureError

Loaded = tuple[Errand, Sample]
_Read = tuple[Sample | Failure, int]

_ROOM_PIXELS: Final = 48_000_000
"""Decoded and waiting at once: 144 MB of colours."""


def read_ahead(
    errands: Iterator[Errand], reader: Reader, *, threads: int, ahead: int, fail: Callable[[Failure], None]
) -> Generator[Loaded]:
    """The samples of all errands, in their order.

    Args:
        errands: what is to be read; nothing is taken from it that is not read at once.
        reader: how.
        threads: that read and decode.
        ahead: samples at most that are read and not yet handed on.
        fail: is told of each that is refused, in the caller's thread.
    """
    room = Room(_ROOM_PIXELS)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="pixturn-read")
    waiting = deque[tuple[Errand, Future[_Read]]]()
    try:
        for turn, errand in enumerate(errands):
            waiting.append((errand, pool.submit(_read, errand, reader, room, turn)))
            if len(waiting) >= ahead:
                yield from _handed_on(*waiting.popleft(), room, fail)
        while waiting:
            yield from _handed_on(*waiting.popleft(), room, fail)
    finally:
        room.close()
        pool.shutdown(cancel_futures=True)


def _handed_on(
    errand: Errand, reading: Future[_Read], room: Room, fail: Callable[[Failure], None]
) -> Generator[Loaded]:
    found, pixels = reading.result()
    room.give_back(pixels)
    if isinstance(found, Failure):
        fail(found)
    else:
        yield errand, found


def _read(errand: Errand, reader: Reader, room: Room, turn: int) -> _Read:
    """The sample, and the pixels that it takes of the room."""
    opened = _opened(errand, reader)
    pixels = 0 if isinstance(opened, Failure) else opened.pixels
    if not room.take(turn, pixels):
        raise CancelledError
    return opened if isinstance(opened, Failure) else _decoded(opened, errand), pixels


def _opened(errand: Errand, reader: Reader) -> Opened | Failure:
    try:
        return reader.open(errand.sources)
    except PictureError as problem:
        return Failure.of(errand.sources[0], problem)


def _decoded(opened: Opened, errand: Errand) -> Sample | Failure:
    try:
        return opened.decoded()
    except PictureError as problem:
        return Failure.of(errand.sources[0], problem)
