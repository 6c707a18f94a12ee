"""Modes of the 25 Gaussians that runs reach: `python -m benchmarks.results.gaussians RUN...`."""

from dataclasses import dataclass
from pathlib import Path

import tyro
from torch import Tensor

from benchmarks.results.material import samples
from benchmarks.results.table import Figures, Options, report
from translate.metrics.modes import GaussianModes


@dataclass(frozen=True, kw_only=True)
class GaussianOptions(Options):
    """What to measure."""

    samples: tuple[int, ...] = (20_000, 2_500)
    """Numbers of samples to judge; the least KL that a perfect sampler shows depends on them."""


def figures(points: Tensor) -> Figures:
    """Modes, quality and evenness of points, N x 2."""
    found = GaussianModes.grid25().coverage(points)
    count = f"of {len(points):,}"
    return {
        f"modes {count}": found.covered,
        f"within 3 sigma {count} (%)": 100 * found.high_quality_share,
        f"reverse KL {count} (nats)": found.reverse_kl_nats,
        f"its floor {count} (nats)": found.floor_nats,
    }


def main(options: GaussianOptions) -> None:
    def measure(run: Path) -> Figures:
        made = samples(run, max(options.samples), options.seed)
        parts = [figures(made[:count]) for count in options.samples]
        return {name: value for part in parts for name, value in part.items()}

    report(options, measure)


if __name__ == "__main__":
    main(tyro.cli(GaussianOptions))
