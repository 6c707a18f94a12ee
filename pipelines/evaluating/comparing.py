"""All figures of one set of pictures against another of equal count."""

from dataclasses import dataclass

from translate.errors import DatasetError
from translate.metrics.distribution import (
    Embeddings,
    FrechetDistance,
    KernelDistance,
    frechet_distance,
    kernel_distance,
)
from translate.metrics.manifold import COVERAGE_NEIGHBOURS, Manifold, manifold, mean_distance
from translate.metrics.two_sample import TwoSampleTest, two_sample_test

FEWEST = COVERAGE_NEIGHBOURS + 1
"""Pictures that each set must have."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What all the figures say. `diversity` is the mean distance of two pictures of a set, in the embedding's units."""

    frechet: FrechetDistance
    kernel: KernelDistance
    manifold: Manifold
    test: TwoSampleTest
    diversity: float
    real_diversity: float


def compare(made: Embeddings, real: Embeddings, *, seed: int) -> Comparison:
    """All figures of N x D vectors of what was made against N x D of real pictures.

    Raises:
        DatasetError: Fewer than six pictures.
    """
    if min(len(made), len(real)) < FEWEST:
        raise DatasetError(
            f"{len(made)} pictures against {len(real)} are too few to compare: give at least {FEWEST} of each, better "
            "hundreds"
        )
    return Comparison(
        frechet=frechet_distance(made, real),
        kernel=kernel_distance(made, real, seed=seed),
        manifold=manifold(made, real),
        test=two_sample_test(made, real, seed=seed),
        diversity=mean_distance(made),
        real_diversity=mean_distance(real),
    )
