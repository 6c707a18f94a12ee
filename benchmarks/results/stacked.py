"""Modes of stacked digits that runs reach: `python -m benchmarks.results.stacked RUN... --digits DIR`."""

from dataclasses import dataclass
from pathlib import Path

import tyro
from torch import Tensor

from benchmarks.results.material import real, samples
from benchmarks.results.table import Figures, Options, report
from translate.metrics.classifier import Classifier, fit_classifier
from translate.metrics.stacked import coverage_of_stacked

CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class StackedOptions(Options):
    """What to measure."""

    digits: Path
    """Single digits with their classes, in the size of the stacked ones, to train the classifier that counts."""
    samples: int = 26_000
    """Pictures to judge, as papers do."""


def figures(pictures: Tensor, classifier: Classifier) -> Figures:
    """Modes and evenness of pictures, N x 3 x H x W, as the classifier reads their channels."""
    found = coverage_of_stacked(pictures, classifier)
    return {
        f"modes of 1000, {len(pictures):,} samples": found.covered,
        "reverse KL (nats)": found.reverse_kl_nats,
        "its floor (nats)": found.floor_nats,
    }


def main(options: StackedOptions) -> None:
    train, test = real(options.digits, "train"), real(options.digits, "test")
    classifier = fit_classifier(train.samples, train.labels, classes=CLASSES)
    print(f"the classifier reads held-out digits: {classifier.accuracy(test.samples, test.labels)}\n")
    report(options, lambda run: figures(samples(run, options.samples, options.seed), classifier))


if __name__ == "__main__":
    main(tyro.cli(StackedOptions))
