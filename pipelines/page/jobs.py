"""Work in progress: how far it is, how long it will take, and that it ends when it is asked to."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol

from translate.errors import PixturnError

_TELL_EVERY_SEC = 0.2

Tell = Callable[[float | None, str], None]
"""Told of progress: the part that is done (None where that is not known), and words."""


class StoppedError(PixturnError):
    """Work that was asked to stop, and did."""


class Terminable(Protocol):
    """What an engine looks at while it computes (`onnxruntime.RunOptions`)."""

    terminate: bool


class Job:
    """One piece of work for one visitor. `stop` may be called from another thread, at any time."""

    def __init__(self, tell: Tell, *, now: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._now = tell, now
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._running: set[Any] = set()
        self._began = now()
        self._told = float("-inf")

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._now() - self._began

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End it: at its next step, and in the middle of what an engine computes."""
        self._stopped.set()
        with self._lock:
            for options in self._running:
                options.terminate = True

    def check(self) -> None:
        """Raises StoppedError once it was asked to stop."""
        if self.is_stopped:
            raise StoppedError(f"Stopped after {self.seconds:.1f} s.")

    @contextmanager
    def ending(self) -> Generator[None]:
        """Whatever an engine says when it is terminated is a StoppedError."""
        try:
            yield
        except PixturnError:
            self.check()
            raise

    @contextmanager
    def terminating(self, options: Terminable) -> Generator[None]:
        """While an engine computes with these options, `stop` ends that."""
        with self._lock:
            self._running.add(options)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._running.discard(options)

    def say(self, words: str) -> None:
        """What is being done, where there is no telling how long."""
        self.check()
        self._tell(None, words)

    def steps(self, words: str) -> Callable[[int, int], None]:
        """Tells of steps, of how many, with the time that is left; raises StoppedError as `check` does."""
        began = self._now()

        def step(done: int, total: int) -> None:
            self.check()
            if done < total and self._now() - self._told < _TELL_EVERY_SEC:
                return
            self._told = self._now()
            left = (self._now() - began) * (total - done) / done if 0 < done < total else None
            self._tell(done / total if total else 1.0, f"{done} of {total} {words}{_left(left)}")

        return step


class Jobs:
    """Which jobs run, by the visitor's session; a visitor has one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    @contextmanager
    def started(self, session: str, tell: Tell) -> Generator[Job]:
        """A job of that session, until the context ends."""
        job = Job(tell)
        with self._lock:
            self._jobs[session] = job
        try:
            with job.ending():
                yield job
        finally:
            with self._lock:
                if self._jobs.get(session) is job:
                    del self._jobs[session]

    def stop(self, session: str) -> float | None:
        """Stop what the session runs; gives for how many seconds it ran, or None where nothing did."""
        with self._lock:
            job = self._jobs.get(session)
        if job is None:
            return None
        job.stop()
        return job.seconds


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f", about {max(1, round(seconds))} s left"
    return f", about {round(seconds / 60)} min left"
