"""What differs between learning to translate and learning to generate: the data, the scores, the report.

Everything else of a run (engine, stream, checkpoints, budget, observers) is the same. A kit is chosen by what the
recipe's data are, and nobody else asks which one it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
import torch
from rich.console import Console

from pipelines.evaluating.sets import Progress
from pipelines.report import Report
from pipelines.runs import RunFolder
from pipelines.scoring.judge import Score
from pipelines.training.data import Data
from pipelines.training.session import Session
from translate.data.domains import MadePairs, OneDomain, TwoDomains
from translate.metrics.finding import Finding
from translate.metrics.health_discriminator import DiscriminatorScores
from translate.recipe import Recipe


class Validator(Protocol):
    """Scores a running session with the averaged weights on what it holds out, without touching its state."""

    def measure(self) -> dict[str, Score]:
        """Every figure that can be had, by the short name of the measure."""
        ...

    def sheet(self) -> np.ndarray:
        """What the model makes now, the same cases every time: H x W x 3 uint8."""
        ...

    def discriminator_scores(self) -> list[DiscriminatorScores]:
        """Each discriminator's scores of held-out real samples and of made ones, with the trained weights."""
        ...

    def alarms(self, scores: Sequence[DiscriminatorScores]) -> Iterable[Finding]:
        """What goes wrong with the game, now that `measure` was called and discriminators scored so."""
        ...


class Kit(Protocol):
    """One of them: a module of `pipelines.training` with these functions."""

    def refuse_bad_data(self, recipe: Recipe[Any], console: Console) -> None:
        """Examine the folder; print what is wrong, and raise DatasetError where it cannot train."""
        ...

    def open_data(self, recipe: Recipe[Any]) -> tuple[Recipe[Any], Data]:
        """Find the splits and hold out validation samples; the recipe says then what the data are.

        Raises DatasetError for a folder that does not fit.
        """
        ...

    def usual_measure(self, recipe: Recipe[Any]) -> str:
        """The measure that decides which weights are best where neither recipe nor method says so."""
        ...

    def validator(self, session: Session) -> Validator:
        """A validator for a session on data of this kit."""
        ...

    def report(self, folder: RunFolder, device: torch.device, progress: Progress) -> Report:
        """Score a run's best weights on what it never saw, and say it; tell progress of what takes long."""
        ...


_KITS: Mapping[type[Any], str] = {
    TwoDomains: "translation",
    MadePairs: "translation",
    OneDomain: "generation",
}


def kit_of(recipe: Recipe[Any]) -> Kit:
    """The kit for a recipe's data."""
    return cast("Kit", import_module(f"pipelines.training.{_KITS[type(recipe.domains)]}"))
