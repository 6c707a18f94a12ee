"""The papers' own protocols, where they fit a run: Parzen window, modes, accuracy of classes."""

from collections.abc import Iterator
from pathlib import Path

from pipelines.training.generation.conditional import fits_conditional, measure_conditional
from pipelines.training.generation.contestants import Measured
from pipelines.training.generation.known_modes import known_modes
from pipelines.training.generation.likelihood import fits_likelihood, measure_likelihood
from pipelines.training.generation.mode_coverage import fits_modes, measure_modes
from pipelines.training.generation.subject import Subject


def by_protocols(subject: Subject, root: Path) -> Iterator[Measured]:
    """What each protocol that fits says; `root` is the data set's folder, which may know its modes.

    Raises DatasetError where it says of its modes what cannot be understood.
    """
    modes = known_modes(root)
    if modes is not None and fits_modes(subject, modes):
        yield measure_modes(subject, modes)
    if fits_conditional(subject):
        yield measure_conditional(subject)
    if fits_likelihood(subject):
        yield measure_likelihood(subject)
