"""What a few labels are worth: `python -m benchmarks.results.few_labels RUN... --data DIR`.

Beside each SGAN stand, on the very labels that it had, a classifier that learnt from these alone and the spreading of
labels over a graph of all pictures, the test pictures among them. All are judged on the test pictures.
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
from translate.metrics.few_labels import LabelPropagation, supervised_only
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


def baseline_figures(train: Split, test: Split, *, seed: int) -> Figures:
    """What needs no generator, in percent; `train.labels` is -1 where a label is hidden."""
    classes = int(test.labels.max()) + 1
    alone = supervised_only(train.samples, train.labels, test.samples, test.labels, classes=classes, seed=seed)
    vectors = torch.cat([train.samples, test.samples]).flatten(1)
    known_labels = torch.cat([train.labels, torch.full_like(test.labels, UNLABELLED)])
    spread = LabelPropagation().spread(vectors, known_labels, classes=classes)[len(train) :]
    return {
        "labels": float((train.labels != UNLABELLED).sum()),
        "classifier of the labelled alone (% wrong)": 100 * (1 - alone.share),
        "label propagation (% wrong)": 100 * float((spread != test.labels).double().mean()),
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
        wrong = 100 * (1 - accuracy_of(runtime(run, "classify"), test))
        return {"SGAN (% wrong)": wrong, **baseline_figures(few, test, seed=options.seed)}

    report(options, measure)


if __name__ == "__main__":
    main(tyro.cli(FewOptions))
