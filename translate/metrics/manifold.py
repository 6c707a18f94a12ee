"""How much of what is made lies among the real, and how much of the real is reached: by balls around the pictures.

Both pairs of figures lay a ball around each picture that reaches to its k-th nearest neighbour in its own set.
Precision and recall (Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models")
ask whether a picture of one set lies in any ball of the other. Density and coverage (Naeem et al. 2020, "Reliable
Fidelity and Diversity Metrics for Generative Models") lay balls around the real pictures alone, so that a far-off
output, whose ball is huge, does no harm. Figures depend on both counts: compare them at equal ones.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from translate.errors import ConfigurationError
from translate.metrics.distribution import Embeddings

PRECISION_NEIGHBOURS = 3
"""k of precision and recall: what Kynkäänniemi et al. use throughout (section 3)."""

COVERAGE_NEIGHBOURS = 5
"""k of density and coverage: what Naeem et al. recommend (section 4.2), for an expected coverage above 0.95."""

_ROWS_AT_ONCE = 1024
_SPREAD_OF_95_PERCENT = 1.959964


@dataclass(frozen=True, kw_only=True)
class Share:
    """A mean over pictures, with the share of each and the bounds of a 95 % interval.

    The interval is for drawing the pictures that are averaged over, with the balls held as they are.
    """

    value: float
    each: npt.NDArray[np.float64]

    @property
    def standard_error(self) -> float:
        """Of the mean; 0 where all pictures have the same share."""
        return float(self.each.std(ddof=1) / np.sqrt(len(self.each)))

    @property
    def interval(self) -> tuple[float, float]:
        """Value minus and plus 1.96 standard errors, not below 0."""
        half = _SPREAD_OF_95_PERCENT * self.standard_error
        return max(0.0, self.value - half), self.value + half

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.standard_error:.3f}"


@dataclass(frozen=True, kw_only=True)
class Manifold:
    """Four shares. Precision and density look at the outputs (are they good?), recall and coverage at the real ones.

    All but density lie in 0 to 1; density has no upper bound, and is 1 on average where both sets are one distribution.
    """

    precision: Share
    recall: Share
    density: Share
    coverage: Share


def manifold(
    outputs: Embeddings,
    reals: Embeddings,
    *,
    precision_neighbours: int = PRECISION_NEIGHBOURS,
    coverage_neighbours: int = COVERAGE_NEIGHBOURS,
) -> Manifold:
    """Precision, recall, density and coverage of outputs against real pictures.

    precision = mean over outputs y of 1[y in any ball of a real one]; recall likewise with the parts exchanged;
    density = mean over outputs of (balls of real ones around y) / k; coverage = mean over real ones of
    1[an output lies in its ball]. A picture on a ball's edge is in it.

    Args:
        outputs: N x D.
        reals: M x D.
        precision_neighbours: k of precision and recall.
        coverage_neighbours: k of density and coverage.

    Raises:
        ConfigurationError: Different dimensions, or a set that has not more pictures than neighbours are asked for.
    """
    _require_enough(outputs, reals, max(precision_neighbours, coverage_neighbours))
    made, real = torch.from_numpy(outputs), torch.from_numpy(reals)
    across = _distances(real, made)
    narrow = across <= _radii(real, precision_neighbours)[:, None]
    around_outputs = across <= _radii(made, precision_neighbours)[None, :]
    wide = across <= _radii(real, coverage_neighbours)[:, None]
    return Manifold(
        precision=_share(narrow.any(dim=0)),
        recall=_share(around_outputs.any(dim=1)),
        density=_share(wide.sum(dim=0).double() / coverage_neighbours),
        coverage=_share(wide.any(dim=1)),
    )


def expected_coverage(outputs: int, reals: int, *, neighbours: int = COVERAGE_NEIGHBOURS) -> float:
    """The coverage of a perfect generator: 1 - (M-1)...(M-k) / ((N+M-1)...(N+M-k)) (Naeem et al. 2020, lemma 2).

    Args:
        outputs: N, their number.
        reals: M, their number.
        neighbours: k.
    """
    steps = np.arange(1, neighbours + 1)
    return float(1 - np.prod((reals - steps) / (outputs + reals - steps)))


def mean_distance(vectors: Embeddings) -> float:
    """The mean Euclidean distance of two different rows of N x D: how diverse a set is, whatever it is of."""
    total = sum(float(_distances(part, torch.from_numpy(vectors)).sum()) for part in _parts(torch.from_numpy(vectors)))
    return total / (len(vectors) * (len(vectors) - 1))


def _radii(vectors: Tensor, neighbours: int) -> Tensor:
    """Distance of every row to its k-th nearest other row; each is its own nearest, at 0, and does not count."""
    return torch.cat([_distances(part, vectors).kthvalue(neighbours + 1, dim=1).values for part in _parts(vectors)])


def _distances(first: Tensor, second: Tensor) -> Tensor:
    # By matrix products, copies of a picture would not be at exactly 0, and ties would fall as rounding has it.
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")


def _parts(vectors: Tensor) -> tuple[Tensor, ...]:
    return vectors.split(_ROWS_AT_ONCE)


def _share(each: Tensor) -> Share:
    values = each.double().numpy()
    return Share(value=float(values.mean()), each=values)


def _require_enough(outputs: Embeddings, reals: Embeddings, neighbours: int) -> None:
    if outputs.ndim != 2 or reals.ndim != 2 or outputs.shape[1] != reals.shape[1]:
        raise ConfigurationError(
            f"Cannot compare embeddings of shapes {outputs.shape} and {reals.shape}: use one backbone for both sets"
        )
    if min(len(outputs), len(reals)) <= neighbours:
        raise ConfigurationError(
            f"{len(outputs)} outputs and {len(reals)} real pictures are too few for balls that reach to the "
            f"{neighbours}th neighbour: give at least {neighbours + 1} of each, better hundreds"
        )
