"""What a few labels are worth: `python -m benchmarks.results.few_labels RUN... --data DIR`.

Beside each SGAN stand, on the very labels that it had, a classifier that learnt from these alone and the spreading of
labels over a graph of all pictures, the test pictures among them. All are judged on the test pictures, and on the
training pictures whose labels were hidden: many more, which SGAN and the graph have seen without labels.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor

from benchmarks.results.material import AT_ONCE, Split, real, runtime, trained
from benchmarks.results.table import Figures, Options, report
from pipelines.training.generation.few import with_few_labels
from pipelines.training.generation.one import one_domain
from translate.data.collection_finding import scan_collection
from translate.metrics.classifier import ClassifierTraining, fit_classifier
from translate.metrics.few_labels import LabelPropagation
from translate.runtime.base import Runtime
from translate.unlabelled import UNLABELLED


@dataclass(frozen=True, kw_only=True)
class FewOptions(Options):
    """What to measure."""

    data: Path
    """The data set that the runs learnt from, in arrays with classes."""


def accuracy_of(reader: Runtime, test: Split) -> float:
    """The share of pictures whose class is the likeliest."""
    name = reader.card.inputs[0].name
    parts = [reader.run({name: part.numpy()})["scores"] for part in test.samples.split(AT_ONCE)]
    said = torch.from_numpy(np.concatenate(parts)).argmax(dim=1)
    return float((said == test.labels).double().mean())


def wrong(said: Tensor, labels: Tensor) -> float:
    """The share of wrong ones in percent."""
    return 100 * float((said != labels).double().mean())


def hidden_of(train: Split, few: Split) -> Split:
    """The training pictures whose labels `few` hides, with their labels."""
    hidden = few.labels == UNLABELLED
    return Split(samples=train.samples[hidden], labels=train.labels[hidden])


def baseline_figures(few: Split, hidden: Split, test: Split, *, seed: int, shift_px: int) -> Figures:
    """What needs no generator, in percent; `few.labels` is -1 where a label is hidden, `hidden` has those.

    The classifier moves its pictures by as many pixels as the SGAN does.
    """
    classes, known = int(test.labels.max()) + 1, few.labels != UNLABELLED
    training = ClassifierTraining(shift_px=shift_px)
    alone = fit_classifier(few.samples[known], few.labels[known], classes=classes, training=training, seed=seed)
    vectors = torch.cat([few.samples, test.samples]).flatten(1)
    known_labels = torch.cat([few.labels, torch.full_like(test.labels, UNLABELLED)])
    spread = LabelPropagation().spread(vectors, known_labels, classes=classes)
    return {
        "labels": float(known.sum()),
        "classifier of the labelled alone (% wrong)": wrong(alone.predict(test.samples), test.labels),
        "classifier of the labelled alone, of hidden labels (% wrong)": wrong(
            alone.predict(hidden.samples), hidden.labels
        ),
        "label propagation (% wrong)": wrong(spread[len(few) :], test.labels),
        "label propagation, of hidden labels (% wrong)": wrong(spread[: len(few)][~known], hidden.labels),
    }


def labels_seen(run: Path, data: Path) -> Tensor:
    """The training labels as the run saw them: -1 where they were hidden."""
    part, domain = scan_collection(data).train, one_domain(trained(run).recipe)
    labels = with_few_labels(part, domain).labels
    assert labels is not None
    return torch.from_numpy(labels)


def main(options: FewOptions) -> None:
    train, test = real(options.data, "train"), real(options.data, "test")

    def measure(run: Path) -> Figures:
        few = Split(samples=train.samples, labels=labels_seen(run, options.data))
        reader, hidden = runtime(run, "classify"), hidden_of(train, few)
        shift_px = trained(run).recipe.config.labelled_shift_px
        return {
            "SGAN (% wrong)": 100 * (1 - accuracy_of(reader, test)),
            "SGAN, of hidden labels (% wrong)": 100 * (1 - accuracy_of(reader, hidden)),
            **baseline_figures(few, hidden, test, seed=options.seed, shift_px=shift_px),
        }

    report(options, measure)


if __name__ == "__main__":
    main(tyro.cli(FewOptions))
