"""The papers' own protocols, each where it says something of what is there: modes, classes, Parzen windows."""

from collections.abc import Iterator

from pipelines.training.generation.conditional import CLASSES
from pipelines.training.generation.contestants import Measured
from pipelines.training.generation.likelihood import LIKELIHOOD
from pipelines.training.generation.mode_coverage import MODES_OF_GAUSSIANS, MODES_OF_STACKED
from pipelines.training.generation.subject import Subject

PROTOCOLS = (MODES_OF_GAUSSIANS, MODES_OF_STACKED, CLASSES, LIKELIHOOD)


def by_protocols(subject: Subject) -> Iterator[Measured]:
    """What each protocol that fits says."""
    return (protocol.measure(subject) for protocol in PROTOCOLS if protocol.fits(subject))
