"""Auto-encoders beside GANs on the same data: `python -m benchmarks.results.auto_encoders RUN... --data DIR`.

Of samples: how sharp they are, how near to test pictures as a set, and how much of these they reach; of auto-encoders
also how well pictures come back, in a table before the other: so that blur of the decoder and blur of what is drawn can
be told apart. The first line printed is that of training pictures.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor
from torch.nn import functional

from benchmarks.results.material import AT_ONCE, Split, generator, real, samples, samples_of_classes, trained
from benchmarks.results.reconstruction import back, likeness
from benchmarks.results.table import Figures, Options, markdown, report, rows
from pipelines.evaluating.comparing import compare
from pipelines.scoring.judge import Judge
from translate.metrics.distribution import Embeddings

_LAPLACE = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class AutoEncoderOptions(Options):
    """What to measure."""

    data: Path
    """The data set that the runs learnt from, in arrays: as many samples as there are test pictures are judged."""


def sharpness(pictures: Tensor) -> float:
    """The variance of the Laplacian of a picture, mean over N x C x H x W: blur lowers it, noise raises it."""
    kernel = torch.tensor(_LAPLACE, dtype=pictures.dtype).expand(pictures.shape[1], 1, 3, 3)
    edges = functional.conv2d(pictures, kernel, groups=pictures.shape[1])
    return float(edges.flatten(1).var(dim=1, correction=0).mean())


def figures(made: Tensor, test: Tensor, made_rows: Embeddings, real_rows: Embeddings) -> Figures:
    """What samples are worth beside as many test pictures; rows are their embeddings."""
    found = compare(made_rows, real_rows, seed=0)
    return {
        "sharpness (% of test pictures')": 100 * sharpness(made) / sharpness(test),
        "KID": found.kernel.value,
        "its standard error": found.kernel.standard_error,
        "precision": found.manifold.precision.value,
        "recall": found.manifold.recall.value,
        "density": found.manifold.density.value,
        "coverage": found.manifold.coverage.value,
        "two-sample accuracy": found.test.accuracy,
    }


def reconstruction_figures(run: Path, test: Split) -> Figures:
    """How pictures come back, and how sharp; nothing of what cannot give them back."""
    method = trained(run).method
    if "reconstruct" not in method.deploys():
        return {}
    given_back = back(method, test)
    sharp = 100 * sharpness(given_back) / sharpness(test.samples)
    return {**likeness(given_back, test.samples), "sharpness (% of test pictures')": sharp}


def main(options: AutoEncoderOptions) -> None:
    train, test = real(options.data, "train"), real(options.data, "test")
    judge = Judge(torch.device("cpu"))

    def embedded(pictures: Tensor) -> Embeddings:
        return judge.embedded(pictures.split(AT_ONCE // 4))

    real_rows = embedded(test.samples)

    def judged(made: Tensor) -> Figures:
        return figures(made, test.samples, embedded(made), real_rows)

    some = train.samples[torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[: len(test)]]
    print(f"training pictures: {judged(some)}")
    given_back = {run.name: found for run in options.runs if (found := reconstruction_figures(run, test))}
    if given_back:
        print(f"reconstructions:\n{markdown(rows(list(given_back.values())), list(given_back))}\n")
    report(options, lambda run: judged(_made(run, len(test), options.seed)))


def _made(run: Path, count: int, seed: int) -> Tensor:
    label = generator(run).inputs.label
    return samples(run, count, seed) if label is None else samples_of_classes(run, count, seed, label.classes).samples


if __name__ == "__main__":
    main(tyro.cli(AutoEncoderOptions))
