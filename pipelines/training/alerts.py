"""What goes wrong while a run trains, said at a validation in plain words with the remedy, each kind once."""

import math
from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.markup import escape

from pipelines.scoring.measures import LAST, MEASURES
from translate.metrics.finding import Finding


class Alerts:
    """Tells people on the console; what was told of one kind is not told again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[str] = set()

    def after_validation(self, best: str, scores: Mapping[str, float], alarms: Iterable[Finding]) -> None:
        """Look at a validation.

        Args:
            best: the measure that decides.
            scores: the figures by measure.
            alarms: what the validator found to go wrong.
        """
        if best not in scores and best != LAST:
            self._tell("not measured", _not_measured(best, scores))
        for name, value in scores.items():
            if not math.isfinite(value):
                self._tell("not finite", _not_finite(name, value))
        for finding in alarms:
            self._tell(finding.code, f"{finding.message} {finding.remedy}")

    def _tell(self, kind: str, message: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._console.print(f"[yellow]![/yellow] {escape(message)}", highlight=False, soft_wrap=True)


def _not_measured(best: str, scores: Mapping[str, float]) -> str:
    measured = ", ".join(name for name in MEASURES if name in scores) or "none"
    return (
        f"{best} cannot be measured on these validation pictures (measured: {measured}), so no weights count as the "
        "best, and the newest are used. Choose a measured one with --validation.best; kid and frechet are for unpaired "
        "training and take at least 4 pictures of each side."
    )


def _not_finite(name: str, value: float) -> str:
    return (
        f"validation {name} is {value}: the outputs hold numbers that are not finite, and weights with such a score "
        "never count as the best. Lower the learning rates (--optimisers.NETWORK.learning-rate), or train with "
        "--precision fp32."
    )
