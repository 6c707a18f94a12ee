"""Does a model that is asked for classes show them, and as variously as real samples do?"""

from dataclasses import dataclass
from typing import Final

from torch import Tensor

from pipelines.report import Finding
from pipelines.scoring.judge import Score
from pipelines.training.generation.contestants import OURS, REAL, Measured
from pipelines.training.generation.protocol import Protocol
from pipelines.training.generation.reading import FEWEST_PX, quick_training, reader_of, shrunk
from pipelines.training.generation.subject import Subject
from translate.metrics.class_diversity import DiversityOfClasses, distance_of_classes
from translate.metrics.classifier import Accuracy
from translate.metrics.conditional import gan_test, gan_train

_POOR = 0.5


def fits_conditional(subject: Subject) -> bool:
    """Whether classes are asked for, and samples are pictures that a classifier can read."""
    return (
        subject.knows_classes
        and subject.training.labels is not None
        and subject.held_out.are_pictures
        and min(subject.training.stored.shape[-2:]) >= FEWEST_PX
    )


def measure_conditional(subject: Subject) -> Measured:
    """GAN-test, GAN-train (Shmelkov et al. 2018) and variety: two classifiers of equal training, 40 seconds of a core.

    Real samples' accuracy is that of the classifier of real samples on held-out ones: what a perfect model has in both.
    """
    made, real, test = _sides(subject)
    reader = reader_of(real.samples, real.labels, classes=subject.classes, subject=subject)
    ceiling, seen = reader.accuracy(test.samples, test.labels), gan_test(reader, made.samples, made.labels)
    taught = _taught(made, test, subject)
    ours, theirs = (
        distance_of_classes(side.samples, side.labels, real.samples, real.labels, network=reader, name="classifier")
        for side in (made, test)
    )
    return Measured(
        scores={OURS: _scores(seen, taught, ours), REAL: _scores(ceiling, ceiling, theirs)},
        findings=(_told(ceiling, seen, taught, ours),),
    )


CLASSES: Final = Protocol(fits=fits_conditional, measure=measure_conditional)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    samples: Tensor
    labels: Tensor


def _sides(subject: Subject) -> tuple[_Side, _Side, _Side]:
    """Made and training samples in equal number, and what is held out, as classifiers see them."""
    labels, wanted = subject.training.labels, subject.held_out.labels
    assert labels is not None
    assert wanted is not None
    count = min(len(subject.made), len(subject.real))
    return (
        _Side(samples=shrunk(subject.made[:count]), labels=subject.asked[:count]),
        _Side(samples=shrunk(subject.real[:count]), labels=labels[:count]),
        _Side(samples=shrunk(subject.test), labels=wanted),
    )


def _taught(made: _Side, test: _Side, subject: Subject) -> Accuracy:
    return gan_train(
        made.samples,
        made.labels,
        test.samples,
        test.labels,
        classes=subject.classes,
        training=quick_training(len(made.samples)),
        device=subject.device,
        on_progress=subject.telling("Teaching a classifier made pictures"),
    )


def _scores(test: Accuracy, train: Accuracy, diversity: DiversityOfClasses) -> dict[str, Score]:
    return {
        "gan_test": _score(test),
        "gan_train": _score(train),
        "class_diversity": Score(value=diversity.mean_share, standard_error=None, pictures=test.pictures),
    }


def _score(accuracy: Accuracy) -> Score:
    return Score(value=accuracy.share, standard_error=accuracy.standard_error, pictures=accuracy.pictures)


def _told(ceiling: Accuracy, seen: Accuracy, taught: Accuracy, diversity: DiversityOfClasses) -> Finding:
    message = (
        f"Classes: a classifier of real samples sees in {seen.share:.1%} of the samples the class that was asked for "
        f"(GAN-test; it classifies {ceiling.share:.1%} of held-out real ones correctly); one that learnt from samples "
        f"alone classifies {taught.share:.1%} of real ones correctly (GAN-train); {diversity}"
    )
    poor = diversity.mean_share < _POOR
    remedy = "Samples of a class are nearly one picture: an accuracy of classes says little then" if poor else ""
    return Finding(severity="warning" if poor else "info", message=message, remedy=remedy)
