"""Goodfellow's Parzen window on points and small grey pictures, beside centroids that are no model and score well."""

from collections.abc import Callable, Mapping
from typing import Final

from torch import Tensor

from pipelines.report import Finding
from pipelines.scoring.judge import Score
from pipelines.training.generation.contestants import OURS, REAL, Measured
from pipelines.training.generation.protocol import Protocol
from pipelines.training.generation.subject import Subject
from translate.metrics.clusters import centroids
from translate.metrics.parzen import ParzenLikelihood, parzen_likelihood, parzen_likelihood_of_points, unit_pixels

CENTROIDS: Final = "k-means centroids of training samples"

_LARGEST_PX = 32
_MOST_CENTROIDS = 1000
_SAMPLES_A_CENTROID = 4
_ITERATIONS = 5
_MOST_CLUSTERED = 5000
_MOST_CHOOSING = 1000
_FEWEST = 20
_CONTESTANTS = 3

_Window = Callable[[Tensor, Tensor, Tensor], ParzenLikelihood]


def fits_likelihood(subject: Subject) -> bool:
    """Whether the protocol says anything of such samples: points, or grey pictures of at most 32 px."""
    enough = min(len(subject.held_out), len(subject.training)) >= _FEWEST
    if not subject.held_out.are_pictures:
        return enough
    channels, *sides = subject.training.stored.shape[1:]
    return enough and channels == 1 and max(sides) <= _LARGEST_PX


def measure_likelihood(subject: Subject) -> Measured:
    """The protocol on the model, on training samples and on their centroids: ten seconds of a core at most."""
    window, prepared = _window_of(subject)
    validation, test = (prepared(samples) for samples in _held_out(subject))
    tell, found = subject.telling("Laying Parzen windows"), dict[str, ParzenLikelihood]()
    for label, samples in _contestants(subject, prepared).items():
        tell(len(found), _CONTESTANTS)
        found[label] = window(samples, validation, test)
    tell(_CONTESTANTS, _CONTESTANTS)
    return Measured(
        scores={label: {"parzen": _score(one)} for label, one in found.items()},
        findings=(Finding(severity="info", message=_told(found)),),
    )


LIKELIHOOD: Final = Protocol(fits=fits_likelihood, measure=measure_likelihood)


def _window_of(subject: Subject) -> tuple[_Window, Callable[[Tensor], Tensor]]:
    if subject.held_out.are_pictures:
        return parzen_likelihood, unit_pixels
    return parzen_likelihood_of_points, Tensor.double


def _contestants(subject: Subject, prepared: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    real = prepared(subject.real)
    some = real[:_MOST_CLUSTERED]
    centres = centroids(some, min(_MOST_CENTROIDS, len(some) // _SAMPLES_A_CENTROID), iterations=_ITERATIONS)
    return {OURS: prepared(subject.made), REAL: real, CENTROIDS: centres}


def _held_out(subject: Subject) -> tuple[Tensor, Tensor]:
    """What chooses the width, and what is scored: two splits, or the halves of the only one."""
    chooses = subject.validation
    if chooses is not None:
        return chooses.tensor(0, min(len(chooses), _MOST_CHOOSING), subject.test.device), subject.test
    half = len(subject.test) // 2
    return subject.test[:half], subject.test[half:]


def _score(found: ParzenLikelihood) -> Score:
    return Score(value=found.mean_nats, standard_error=found.standard_error_nats, pictures=found.test)


def _told(found: Mapping[str, ParzenLikelihood]) -> str:
    ours, real, centres = (found[label] for label in (OURS, REAL, CENTROIDS))
    return (
        f"Parzen window: {ours.mean_nats:.4g} ± {ours.standard_error_nats:.2g} nats on {ours.test:,} held-out samples "
        f"(sigma {ours.sigma:.3g}, chosen on {ours.validation:,} others; Gaussians on {ours.samples:,} samples). It "
        f"misleads, and is here for the papers' sake: {centres.samples:,} k-means centroids of training samples, which "
        f"are no model, score {centres.mean_nats:.4g}, training samples themselves {real.mean_nats:.4g}"
    )
