"""Counts steps that were not finite, where the numbers are: on the device, so that no step waits for the count."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

MOST_BAD_STEPS = 5


class BadSteps:
    """Bad steps in a row, by turn, and the most that stood in a row since the count was last looked at."""

    def __init__(self, turns: Iterable[str], device: torch.device) -> None:
        self._in_a_row = {turn: torch.zeros((), dtype=torch.int64, device=device) for turn in turns}
        self._worst = dict(self._in_a_row)

    def count(self, turn: str, bad: Tensor) -> None:
        """Take in whether a step was bad (0-dimensional): if so there is one more in a row, if not there is none."""
        self._in_a_row[turn] = torch.where(bad, self._in_a_row[turn] + 1, 0)
        self._worst[turn] = torch.maximum(self._worst[turn], self._in_a_row[turn])

    def too_many(self) -> str | None:
        """The turn of which too many stood in a row since the last look, if there is one. Waits for the device."""
        worst, self._worst = self._worst, dict(self._in_a_row)
        return next((turn for turn, row in worst.items() if int(row) >= MOST_BAD_STEPS), None)

    def read(self) -> dict[str, int]:
        """Bad steps in a row by turn, for a checkpoint. Waits for the device."""
        return {turn: int(row) for turn, row in self._in_a_row.items()}

    def restore(self, counts: Mapping[str, int]) -> None:
        """Go on from what `read` gave. Raises KeyError for turns of another method."""
        for turn in self._in_a_row:
            self._in_a_row[turn] = torch.full_like(self._in_a_row[turn], counts[turn])
        self._worst = dict(self._in_a_row)
