"""Room in memory for pictures that were read ahead."""

import threading


class Room:
    """So many pixels at once, given out in the order of the pictures.

    Order is what keeps this from standing still: who waits for room never waits for a picture that comes later. One
    picture that is larger than all the room has it alone.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._free = pixels
        self._next = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def take(self, turn: int, pixels: int) -> bool:
        """Wait for the turn (0, 1, 2, ...) and for room; False once `close` was called. Every turn must come."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or (turn == self._next and self._fits(pixels)))
            self._free -= pixels
            self._next = turn + 1
            self._changed.notify_all()
            return not self._is_closed

    def give_back(self, pixels: int) -> None:
        """What was taken and is no longer held."""
        with self._changed:
            self._free += pixels
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _fits(self, pixels: int) -> bool:
        return pixels <= self._free or self._free == self._pixels
