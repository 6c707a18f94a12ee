"""Do conditional samples show what was asked for, and as variously as real pictures do?

GAN-test and GAN-train are Shmelkov et al. 2018 ("How good is my GAN?"): a classifier of real pictures judges samples,
which sees wrong and unreal ones; a classifier of samples judges real pictures, which sees missing variety as well (the
"classification accuracy score" of Ravuri and Vinyals 2019).
"""

import torch
from torch import Tensor

from translate.metrics.classifier import Accuracy, Classifier, ClassifierTraining, OnProgress, fit_classifier


def gan_test(classifier: Classifier, samples: Tensor, asked: Tensor) -> Accuracy:
    """How often a classifier of real pictures sees in a sample the class that was asked for.

    A perfect generator reaches the classifier's own accuracy on held-out real pictures, say it beside this. More than
    that means samples that are easier than real ones, which a generator without variety gives.

    Args:
        classifier: Trained on real pictures, apart from any generator.
        samples: N x C x H x W in [-1, 1].
        asked: The N classes that were asked for.

    Raises:
        ConfigurationError: No samples, or labels that do not fit.
    """
    return classifier.accuracy(samples, asked)


def gan_train(
    samples: Tensor,
    asked: Tensor,
    real: Tensor,
    labels: Tensor,
    *,
    classes: int,
    training: ClassifierTraining | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    on_progress: OnProgress | None = None,
) -> Accuracy:
    """How well a classifier that learnt from samples alone reads held-out real pictures.

    Compare with a classifier that learnt from as many real pictures, by the same `training`.

    Args:
        samples: N x C x H x W in [-1, 1], better thousands.
        asked: The N classes that were asked for.
        real: M x C x H x W held-out real pictures.
        labels: Their M classes.
        classes: How many classes there are.
        training: How the classifier is trained.
        seed: Of the classifier.
        device: Where it is trained; by default where the samples are.
        on_progress: Called after each step.

    Raises:
        ConfigurationError: No pictures on a side, or labels that do not fit.
    """
    fitted = fit_classifier(
        samples,
        asked,
        classes=classes,
        training=training,
        seed=seed,
        device=device or samples.device,
        on_progress=on_progress,
    )
    return fitted.accuracy(real, labels)
