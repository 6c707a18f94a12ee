"""How many of the modes that a data set is known to have a model reaches, and how evenly."""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

from torch import Tensor

from pipelines.report import Finding
from pipelines.scoring.judge import Score
from pipelines.training.generation.contestants import OURS, REAL, Measured
from pipelines.training.generation.known_modes import StackedClasses
from pipelines.training.generation.protocol import Protocol
from pipelines.training.generation.reading import FEWEST_PX, reader_of
from pipelines.training.generation.subject import Subject
from translate.metrics.modes import GaussianModes, ModeCoverage
from translate.metrics.remedies import Remedies, advice
from translate.metrics.stacked import CHANNELS, coverage_of_stacked, digits_of_modes, singles

_REMEDY: Final = (
    "Modes are lost where the game is out of balance: the recipe r3gan (or r3gan-points) or a longer run may help."
)


def fits_gaussians(subject: Subject) -> bool:
    """Whether the data set says where its Gaussians are, and samples are points of that plane."""
    return isinstance(subject.modes, GaussianModes) and tuple(subject.training.stored.shape[1:]) == (2,)


def measure_gaussians(subject: Subject) -> Measured:
    """Modes of points, of the model and of as many training samples: a second."""
    assert isinstance(subject.modes, GaussianModes)
    return _measured(subject, subject.modes.coverage, _of_points)


def fits_stacked(subject: Subject) -> bool:
    """Whether the data set says that its pictures are stacked, and they have three channels and classes."""
    shape = subject.training.stored.shape[1:]
    is_stacked = len(shape) == CHANNELS and shape[0] == CHANNELS and min(shape[1:]) >= FEWEST_PX
    return isinstance(subject.modes, StackedClasses) and is_stacked and subject.training.labels is not None


def measure_stacked(subject: Subject) -> Measured:
    """Modes of stacked pictures, as a classifier of single ones reads them: a minute of a core at 32 px."""
    assert isinstance(subject.modes, StackedClasses)
    classes = subject.modes.classes
    reader = reader_of(*_single(subject, classes), classes=classes, subject=subject)
    return _measured(subject, lambda pictures: coverage_of_stacked(pictures, reader), _of_pictures)


MODES_OF_GAUSSIANS: Final = Protocol(fits=fits_gaussians, measure=measure_gaussians)
MODES_OF_STACKED: Final = Protocol(fits=fits_stacked, measure=measure_stacked)


def _measured(
    subject: Subject,
    coverage: Callable[[Tensor], ModeCoverage],
    figures: Callable[[ModeCoverage], Mapping[str, float]],
) -> Measured:
    count = min(len(subject.made), len(subject.real))
    found = {OURS: coverage(subject.made[:count]), REAL: coverage(subject.real[:count])}
    return Measured(
        scores={label: _scores(one, figures(one)) for label, one in found.items()},
        findings=(told_of_modes(found[OURS], found[REAL], subject.remedies),),
    )


def _single(subject: Subject, classes: int) -> tuple[Tensor, Tensor]:
    """Every channel of training pictures as a grey picture, and its class."""
    assert subject.training.labels is not None
    real = subject.real
    return singles(real), digits_of_modes(subject.training.labels[: len(real)], classes=classes).flatten()


def _of_pictures(found: ModeCoverage) -> Mapping[str, float]:
    """The classifier gives every picture a mode, so that none is at no mode."""
    return {"modes": found.covered, "reverse_kl": found.reverse_kl_nats}


def _of_points(found: ModeCoverage) -> Mapping[str, float]:
    return {"modes": found.covered, "in_modes": found.high_quality_share, "reverse_kl": found.reverse_kl_nats}


def _scores(found: ModeCoverage, figures: Mapping[str, float]) -> dict[str, Score]:
    return {name: Score(value=value, standard_error=None, pictures=found.samples) for name, value in figures.items()}


def _in_nats(value: float) -> str:
    return f"{value:.4f} nats" if isfinite(value) else "infinite, as no sample is at a mode"


def told_of_modes(ours: ModeCoverage, real: ModeCoverage, remedies: Remedies) -> Finding:
    """Whether modes are lost that training samples reach, in words, and what the method offers against that."""
    lost = ours.covered < real.covered
    return Finding(
        severity="warning" if lost else "good",
        message=f"Modes: {ours.covered} of {ours.modes} with {ours.samples:,} samples, reverse KL "
        f"{_in_nats(ours.reverse_kl_nats)}; as many training samples reach {real.covered}, at "
        f"{_in_nats(real.reverse_kl_nats)} (a perfect sampler with as many at modes has {_in_nats(ours.floor_nats)} on "
        "average)",
        remedy=f"{_REMEDY} {advice(remedies.collapse)}" if lost else "",
    )
