"""Pictures that turn bad while a run is reading them: a few are left out and named, more stop the run."""

import logging
from collections.abc import Iterable

from translate.errors import DatasetError

_LOG = logging.getLogger(__name__)

Refusal = tuple[str, str]
"""Path of a picture that could not be read, and why."""


class Quarantine:
    """Pictures that turned bad while a run was reading them: named once each, and counted against a limit."""

    def __init__(self, tolerated: int) -> None:
        self._tolerated = tolerated
        self._refused: dict[str, str] = {}

    @property
    def refused(self) -> dict[str, str]:
        """Paths and reasons so far."""
        return dict(self._refused)

    def admit(self, refusals: Iterable[Refusal]) -> None:
        """Take note of refusals. Raises DatasetError when more pictures are bad than tolerated."""
        for path, reason in refusals:
            if path not in self._refused:
                self._refused[path] = reason
                _LOG.warning("A picture was left out and replaced by the next one: %s", reason)
        if len(self._refused) > self._tolerated:
            self.refuse()

    def refuse(self) -> None:
        """Raise DatasetError with the bad pictures."""
        first = "\n".join(f"  {reason}" for reason in list(self._refused.values())[:5])
        raise DatasetError(
            f"{len(self._refused)} pictures could not be read, more than the {self._tolerated} that are tolerated; "
            f"the first:\n{first}\nRun `pixturn check` on the folder, fix or remove them, and go on with --resume"
        )
