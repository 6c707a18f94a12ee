"""Do samples show the class that was asked for, and variously? `python -m benchmarks.results.conditional RUN...`.

GAN-test: a classifier of real pictures judges samples. GAN-train: one that learnt from samples alone judges held-out
real pictures. Diversity within a class is that of samples as a share of that of real pictures.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from benchmarks.results.material import Split, real, samples_of_classes
from benchmarks.results.table import Figures, Options, report
from translate.metrics.class_diversity import distance_of_classes, similarity_of_classes
from translate.metrics.classifier import Classifier, ClassifierTraining, fit_classifier
from translate.metrics.conditional import gan_test, gan_train


@dataclass(frozen=True, kw_only=True)
class ConditionalOptions(Options):
    """What to measure."""

    data: Path
    """The data set that the runs learnt from, in arrays with classes."""
    samples: int = 4000
    """Samples to judge, and to learn from; better as many as there are training pictures."""
    classes: int = 10
    """How many there are."""


def figures(
    made: Split, train: Split, test: Split, judge: Classifier, training: ClassifierTraining | None = None
) -> Figures:
    """What samples are worth to classifiers, in percent; `training` is that of the classifier that learns from them."""
    similarity = similarity_of_classes(made.samples, made.labels, train.samples, train.labels)
    distance = distance_of_classes(
        made.samples, made.labels, train.samples, train.labels, network=judge, name="classifier"
    )
    learnt = gan_train(made.samples, made.labels, test.samples, test.labels, classes=judge.classes, training=training)
    return {
        "GAN-test (%)": 100 * gan_test(judge, made.samples, made.labels).share,
        "GAN-train (%)": 100 * learnt.share,
        f"diversity within classes, {similarity.measure} (% of real)": 100 * similarity.mean_share,
        "the same, distance of embeddings (% of real)": 100 * distance.mean_share,
        "least diverse class, distance of embeddings (% of real)": 100 * min(one.share for one in distance.classes),
    }


def main(options: ConditionalOptions) -> None:
    train, test = real(options.data, "train"), real(options.data, "test")
    judge = fit_classifier(train.samples, train.labels, classes=options.classes)
    print(
        f"learnt from real pictures, the classifier reads held-out ones: {judge.accuracy(test.samples, test.labels)}\n"
    )

    def measure(run: Path) -> Figures:
        made = samples_of_classes(run, options.samples, options.seed, options.classes)
        return figures(made, train, test, judge)

    report(options, measure)


if __name__ == "__main__":
    main(tyro.cli(ConditionalOptions))
