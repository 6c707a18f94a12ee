"""How many of the modes that a data set is known to have a model reaches, and how evenly."""

from collections.abc import Callable

import torch
from torch import Tensor

from pipelines.report import Finding
from pipelines.scoring.judge import Score
from pipelines.training.generation.contestants import OURS, REAL, Measured
from pipelines.training.generation.known_modes import KnownModes, StackedClasses
from pipelines.training.generation.reading import reader_of
from pipelines.training.generation.subject import Subject
from translate.metrics.classifier import Classifier
from translate.metrics.modes import GaussianModes, ModeCoverage
from translate.metrics.stacked import CHANNELS, stacked_coverage

_REMEDY = (
    "Modes are lost where the game is out of balance: try the recipe r3gan (or r3gan-points), "
    "--config.game.penalty.kind r1+r2, --config.discriminator.packing 2, or a longer run"
)


def fits_modes(subject: Subject, modes: KnownModes) -> bool:
    """Whether samples are what the modes are about, rather than grey or moved ones."""
    shape = subject.training.stored.shape[1:]
    if isinstance(modes, GaussianModes):
        return tuple(shape) == (2,)
    return len(shape) == CHANNELS and shape[0] == CHANNELS and subject.training.labels is not None


def measure_modes(subject: Subject, modes: KnownModes) -> Measured:
    """The model and as many training samples: a second for points, a minute of a core for stacked digits at 32 px."""
    count = min(len(subject.made), len(subject.real))
    coverage = _counter(subject, modes)
    found = {OURS: coverage(subject.made[:count]), REAL: coverage(subject.real[:count])}
    return Measured(
        scores={label: _scores(one, modes) for label, one in found.items()},
        findings=(_told(found[OURS], found[REAL]),),
    )


def _counter(subject: Subject, modes: KnownModes) -> Callable[[Tensor], ModeCoverage]:
    if isinstance(modes, GaussianModes):
        return modes.coverage
    reader = reader_of(*_single(subject, modes.classes), classes=modes.classes, device=subject.device)
    return lambda pictures: _stacked(pictures, reader)


def _single(subject: Subject, classes: int) -> tuple[Tensor, Tensor]:
    """Every channel of training pictures as a grey picture, and its class: the first is the most significant digit."""
    assert subject.training.labels is not None
    places = torch.tensor([classes**2, classes, 1])
    return subject.real.flatten(0, 1).unsqueeze(1), (subject.training.labels[:, None] // places % classes).flatten()


def _stacked(pictures: Tensor, reader: Classifier) -> ModeCoverage:
    digits = reader.predict(pictures.flatten(0, 1).unsqueeze(1)).view(-1, CHANNELS)
    return stacked_coverage(digits, classes=reader.classes)


def _scores(found: ModeCoverage, modes: KnownModes) -> dict[str, Score]:
    figures = {"modes": float(found.covered), "in_modes": found.high_quality_share, "reverse_kl": found.reverse_kl_nats}
    if isinstance(modes, StackedClasses):
        del figures["in_modes"]  # the classifier gives every picture a mode
    return {name: Score(value=value, standard_error=None, pictures=found.samples) for name, value in figures.items()}


def _told(ours: ModeCoverage, real: ModeCoverage) -> Finding:
    lost = ours.covered < real.covered
    return Finding(
        severity="warning" if lost else "good",
        message=f"Modes: {ours.covered} of {ours.modes} with {ours.samples:,} samples, reverse KL "
        f"{ours.reverse_kl_nats:.4f} nats; as many training samples reach {real.covered}, at "
        f"{real.reverse_kl_nats:.4f} (a perfect sampler's mean: {ours.floor_nats:.4f})",
        remedy=_REMEDY if lost else "",
    )
