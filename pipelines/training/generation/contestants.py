"""Who is held against one another in a report of samples, and what a protocol says of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.report import Finding
from pipelines.scoring.judge import Score
from pipelines.training.tables import OURS

__all__ = ["OURS", "REAL", "Contestants", "Measured", "merged"]

REAL: Final = "training samples themselves"

Contestants = Mapping[str, Mapping[str, Score]]
"""The scores of each contestant by label, and by measure; not every one has every measure."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one protocol says: scores, and in words what they mean."""

    scores: Contestants
    findings: tuple[Finding, ...]


def merged(parts: Iterable[Contestants]) -> Contestants:
    """All scores of each contestant, in the order in which they come first."""
    whole: dict[str, dict[str, Score]] = {}
    for part in parts:
        for label, scores in part.items():
            whole.setdefault(label, {}).update(scores)
    return whole
