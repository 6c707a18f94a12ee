"""Log-likelihood under a Parzen window (Goodfellow 2014): `python -m benchmarks.results.parzen RUN... --data DIR`.

The figure misleads: centroids of k-means, which are no model at all, score above real pictures. Both are shown.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro
from torch import Tensor

from benchmarks.results.material import Split, generator, real, samples, samples_of_classes
from benchmarks.results.table import Figures, Options, report
from translate.metrics.clusters import centroids
from translate.metrics.parzen import parzen_likelihood, unit_pixels


@dataclass(frozen=True, kw_only=True)
class ParzenOptions(Options):
    """What to measure."""

    data: Path
    """The data set that the runs learnt from, in arrays: its validation split chooses the width."""
    samples: int = 10_000
    """Samples that Gaussians are put on, as in the paper."""
    centroids: int = 1000
    """Of k-means on the training pictures; 0: leave these out."""
    test: int = 10_000
    """Test pictures at most, as in the paper."""


def figures(made: Tensor, validation: Split, test: Split) -> Figures:
    """The protocol on pictures, N x C x H x W in [-1, 1]."""
    found = parzen_likelihood(unit_pixels(made), unit_pixels(validation.samples), unit_pixels(test.samples))
    return {
        "log-likelihood (nats)": found.mean_nats,
        "its standard error over test pictures": found.standard_error_nats,
        "sigma": found.sigma,
    }


def main(options: ParzenOptions) -> None:
    train, validation, test = _splits(options)
    print(f"training pictures: {figures(train.samples[: options.samples], validation, test)}")
    if options.centroids:
        centres = centroids(train.samples.flatten(1), options.centroids).float().view(-1, *train.samples.shape[1:])
        print(f"{options.centroids} centroids: {figures(centres, validation, test)}")

    def measure(run: Path) -> Figures:
        return figures(_made(run, options), validation, test)

    report(options, measure)


def _splits(options: ParzenOptions) -> tuple[Split, Split, Split]:
    """Training, validation and test; where nothing is held out for validation, the last 1000 training pictures."""
    train, test = real(options.data, "train"), real(options.data, "test")
    try:
        validation = real(options.data, "validation")
    except KeyError:
        train, validation = _part(train, 0, len(train) - 1000), _part(train, len(train) - 1000, len(train))
    return train, validation, _part(test, 0, options.test)


def _part(split: Split, start: int, stop: int) -> Split:
    return Split(samples=split.samples[start:stop], labels=split.labels[start:stop])


def _made(run: Path, options: ParzenOptions) -> Tensor:
    label = generator(run).inputs.label
    if label is None:
        return samples(run, options.samples, options.seed)
    return samples_of_classes(run, options.samples, options.seed, label.classes).samples


if __name__ == "__main__":
    main(tyro.cli(ParzenOptions))
