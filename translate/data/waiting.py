"""Notices that training waits for its pictures, and says once what would help."""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_LOG = logging.getLogger(__name__)

_AFTER_SEC: Final = 30.0
"""Before that, workers are starting and kernels are being chosen."""
_SHARE: Final = 0.2


class Waiting:
    """The share of its time that a run spends on waiting for batches."""

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic, *, tells: bool = True) -> None:
        """Begin with the first batch.

        Args:
            workers: processes that read ahead, for the message.
            clock: gives seconds.
            tells: whether to say anything at all.
        """
        self._workers = workers
        self._is_told = not tells
        self._clock = clock
        self._began: float | None = None
        self._waited_sec = 0.0

    @contextmanager
    def measured(self) -> Generator[None]:
        """A batch is waited for."""
        began = self._clock()
        yield
        now = self._clock()
        if self._began is None:  # the first batch pays for the start of the workers
            self._began = now
            return
        self._waited_sec += now - began
        self._tell(now - self._began)

    def _tell(self, passed_sec: float) -> None:
        share = self._waited_sec / max(passed_sec, 1e-9)
        if self._is_told or passed_sec < _AFTER_SEC:
            return
        self._is_told = True
        if share > _SHARE:
            _LOG.warning(
                "Training waits for its pictures %.0f %% of the time: raise --workers (now %d), or keep them decoded "
                "with --cache (docs/training.md tells what it costs)",
                100 * share,
                self._workers,
            )
