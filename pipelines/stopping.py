"""Ctrl-C and SIGTERM end long work in good order: what is in flight is finished or dropped, nothing is left half."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from translate.errors import PixturnError

_EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class StoppedError(PixturnError):
    """Work that was asked to stop and did; `exit_code` tells by which signal."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StopRequest:
    """Whether a signal asked to stop."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def __bool__(self) -> bool:
        """Whether a signal came."""
        return self.received is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Remember the first signal; a second Ctrl-C ends the process at once."""
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)

    def error(self, message: str) -> StoppedError:
        """What the work ends with."""
        received = self.received or signal.SIGTERM
        return StoppedError(message, _EXIT_CODES[received])


@contextmanager
def listening() -> Generator[StopRequest]:
    """Listen for both signals within the context (Python delivers signals to the main thread only)."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.handle) for number in _EXIT_CODES}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
