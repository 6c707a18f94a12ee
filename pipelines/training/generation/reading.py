"""A classifier of real pictures that is small and quick enough for a report."""

from torch import Tensor
from torch.nn import functional

from pipelines.training.generation.subject import Subject
from translate.metrics.classifier import Classifier, ClassifierTraining, fit_classifier

FEWEST_PX = 8
_LARGEST_PX = 32
_MOST_STEPS = 400
_FEWEST_STEPS = 50
_EPOCHS = 30


def reader_of(pictures: Tensor, labels: Tensor, *, classes: int, subject: Subject) -> Classifier:
    """Trained on N x C x H x W real pictures as `shrunk` gives them: 15 seconds of a core at most."""
    return fit_classifier(
        pictures,
        labels,
        classes=classes,
        training=quick_training(len(pictures)),
        device=subject.device,
        on_progress=subject.telling("Teaching a classifier real pictures"),
    )


def quick_training(pictures: int) -> ClassifierTraining:
    """Thirty epochs of few pictures, 400 steps of many."""
    batch = ClassifierTraining().batch
    return ClassifierTraining(steps=min(max(_EPOCHS * pictures // batch, _FEWEST_STEPS), _MOST_STEPS))


def shrunk(pictures: Tensor) -> Tensor:
    """At most 32 px a side, each pixel the mean of those it stands for."""
    height, width = pictures.shape[-2:]
    if max(height, width) <= _LARGEST_PX:
        return pictures
    size = [max(FEWEST_PX, side * _LARGEST_PX // max(height, width)) for side in (height, width)]
    return functional.interpolate(pictures, size=size, mode="area")
