"""A few child processes that decode pictures, so that a hostile one harms a child and not the server.

The child (`decoding`) reads one request a line and answers with a length, a JSON header and raw bytes. What comes back
is parsed as numbers and checked: nothing that a child says can run code here.
"""

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np
import numpy.typing as npt

from translate.errors import PictureError, StorageError

_CODE: Final = "import sys; sys.path[:] = {path!r}; from pipelines.page.serving.decoding import main; main()"
_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_LONGEST_HEADER: Final = 1_000_000
_LENGTH_BYTES: Final = 8
_TYPES: Final = ("uint8", "uint16")

Array = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What a child made of a request: arrays by name, and the bytes of a colour profile."""

    arrays: Mapping[str, Array]
    profile: bytes | None


class Decoders:
    """The children. Each decodes one picture at a time, and is replaced after `recycle_after` of them."""

    def __init__(self, *, count: int, seconds: int, memory_mb: int, most_bytes: int, recycle_after: int = 200) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._most_bytes = most_bytes
        self._recycle_after = recycle_after
        self._idle: queue.Queue[_Child | None] = queue.Queue()
        for _ in range(count):
            self._idle.put(None)
        self._count = count

    def start(self) -> None:
        """Start the children now, rather than with the first pictures."""
        for _ in range(self._count):
            self._idle.put(self._idle.get() or self._new())

    def ask(self, request: Mapping[str, Any], name: str) -> Answer:
        """Have one request done. `name` is what the visitor calls the file.

        Raises:
            PictureError: What the child says is wrong; `damaged` where it died, `too_slow` where it took too long.
            StorageError: No child was free for as long as a picture may take.
        """
        child = self._taken()
        try:
            child = child or self._new()
            answer = child.ask(request, name, self._seconds, self._most_bytes)
            child = child.spared(self._recycle_after)
        except _LostError:
            child = None
            raise
        finally:
            self._idle.put(child)
        return answer if isinstance(answer, Answer) else _refuse(answer)

    def close(self) -> None:
        """End all children, those at work too."""
        for _ in range(self._count):
            with contextlib.suppress(queue.Empty):
                child = self._idle.get(timeout=self._seconds + 1)
                if child is not None:
                    child.end()

    def _taken(self) -> "_Child | None":
        try:
            return self._idle.get(timeout=2 * self._seconds)
        except queue.Empty:
            raise StorageError("Too many pictures are being opened at once: try again in a moment") from None

    def _new(self) -> "_Child":
        return _Child(self._seconds, self._memory_mb)


class _LostError(PictureError):
    """The child died of the picture, or was ended."""


class _Child:
    def __init__(self, seconds: int, memory_mb: int) -> None:
        code = _CODE.format(path=[str(Path(place).absolute()) for place in sys.path])
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", code, str(seconds), str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            start_new_session=True,  # Ctrl-C in the terminal is for the server, which ends its children
        )
        self._done = 0

    def ask(self, request: Mapping[str, Any], name: str, seconds: int, most_bytes: int) -> "Answer | PictureError":
        """Raises _LostError."""
        late = threading.Event()
        watchdog = threading.Timer(seconds + 1, self._end_late, (late,))
        watchdog.daemon = True
        watchdog.start()
        try:
            answer = self._exchanged(request, most_bytes)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            self.end()
            raise _lost(name, late.is_set(), seconds) from problem
        finally:
            watchdog.cancel()
        self._done += 1
        return answer

    def spared(self, recycle_after: int) -> "_Child | None":
        """Itself, or None (and ended) where it has done enough."""
        if self._done < recycle_after:
            return self
        self.end()
        return None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _end_late(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def _exchanged(self, request: Mapping[str, Any], most_bytes: int) -> "Answer | PictureError":
        given, got = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        given.write(json.dumps(request).encode() + b"\n")
        given.flush()
        length = int.from_bytes(_exactly(got, _LENGTH_BYTES), "big")
        if length > _LONGEST_HEADER:
            raise ValueError(f"a header of {length} bytes")
        header: dict[str, Any] = json.loads(_exactly(got, length))
        if "reason" in header:
            return PictureError(str(header["reason"]), str(header["message"]))
        return _answer(header, got, most_bytes)


def _answer(header: dict[str, Any], got: IO[bytes], most_bytes: int) -> Answer:
    arrays: dict[str, Array] = {}
    left = most_bytes
    for name, kind, shape in header["arrays"]:
        sizes = tuple(int(size) for size in shape)
        if kind not in _TYPES or min(sizes) < 1 or len(sizes) not in (2, 3):
            raise ValueError(f"an array of {kind} {sizes}")
        length = int(np.prod(sizes, dtype=object)) * np.dtype(kind).itemsize
        left -= length
        if left < 0:
            raise ValueError("more bytes than a picture can have")
        arrays[str(name)] = np.frombuffer(_exactly(got, length), kind).reshape(sizes)
    profile = _exactly(got, min(int(header["profile_bytes"]), most_bytes))
    return Answer(arrays=arrays, profile=profile or None)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length) if length >= 0 else b""
    if len(data) != length:
        raise ValueError("the child ended, or said what cannot be")
    return data


def _refuse(problem: PictureError) -> Answer:
    raise problem


def _lost(name: str, late: bool, seconds: int) -> _LostError:
    if late:
        return _LostError("too_slow", f"{name}: takes more than {seconds} s to decode: save it again as PNG or JPEG")
    return _LostError("damaged", f"{name}: cannot be decoded: save it again as PNG or JPEG")
