"""What a health check says: in plain words what is wrong, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Severity = Literal["note", "warning", "error"]

_COLOUR_CHANNELS = {1: 1, 3: 3, 4: 3}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a run. `code` is short and stable (`low_diversity`), for tests and reports.

    A note may well be right for this data; a warning means that the results suffer; an error that they are useless.
    """

    code: str
    severity: Severity
    message: str
    remedy: str


def colours(pictures: Tensor) -> Tensor | None:
    """The grey or RGB channels, alpha left out; None for label maps and stacks, which have no colours to judge."""
    channels = _COLOUR_CHANNELS.get(pictures.shape[1])
    return None if channels is None else pictures[:, :channels].float()
