"""Modes that a data set says it has, in its `dataset.json`: Gaussians around centres, or digits in each channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from translate.data.description import described, description_file
from translate.errors import DatasetError
from translate.metrics.modes import GaussianModes


@dataclass(frozen=True, kw_only=True)
class StackedClasses:
    """Pictures whose every channel is a grey picture of one of so many classes; the label spells them."""

    classes: int


KnownModes = GaussianModes | StackedClasses


def known_modes(root: Path) -> KnownModes | None:
    """What the data set's folder says of its modes; None where it says nothing.

    Raises:
        DatasetError: It says something that cannot be understood.
    """
    said = described(root).get("modes")
    if not said:
        return None
    try:
        return _understood(said)
    except (TypeError, ValueError, KeyError) as error:
        raise DatasetError(
            f'{description_file(root)}: "modes" is not understood: give {{"kind": "gaussians", '
            '"centres": [[x, y], ...], "deviation": number}, {"kind": "stacked", "classes": number}, or take it away'
        ) from error


def _understood(said: Mapping[str, Any]) -> KnownModes:
    if said["kind"] == "gaussians":
        centres = tuple((float(x), float(y)) for x, y in said["centres"])
        return GaussianModes(centres=centres, sigma=float(said["deviation"]))
    if said["kind"] == "stacked":
        return StackedClasses(classes=int(said["classes"]))
    raise ValueError(said["kind"])
