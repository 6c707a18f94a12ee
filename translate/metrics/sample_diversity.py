"""How various a batch of samples from noise is, beside real data: three figures that fail in different collapses.

Samples are pictures (first averaged on a grid of at most 16 x 16, so that noise is no diversity) or points.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.metrics.clusters import centroids, nearest_centroid

FEWEST_SAMPLES = 64
"""Fewer say too little about kinds: pictures and points alike."""

MOST_SAMPLES = 512
"""More are left out: the figures no longer change, and time grows with the square."""

_GRID_CELLS = 16
_KINDS = 32
_MEMBERS_OF_A_KIND = 8
_FLAT = 1e-3


@dataclass(frozen=True, kw_only=True)
class SampleDiversity:
    """Three shares of what real data has; about 1 is as diverse, 0 is a collapse."""

    spread: float
    """Median distance of two samples: low where all are much the same."""

    nearest: float
    """Median distance to the nearest other sample: low where a handful of samples repeat."""

    kinds: float
    """Effective number (exponential of the entropy) of kinds that occur: low where samples differ, yet show one class.

    Kinds are the classes of real data where they are known, each sample counting for that of the nearest real one;
    else k-means clusters of real data, the bins of Richardson and Weiss 2018, "On GANs and GMMs".
    """

    @property
    def least(self) -> float:
        """The lowest of the three: one number to follow over a run."""
        return min(self.spread, self.nearest, self.kinds)


def sample_diversity(
    samples: Tensor, real: Tensor, *, real_labels: Tensor | None = None, seed: int = 0
) -> SampleDiversity:
    """Compare a batch of samples with real data of the same shape.

    Args:
        samples: N x C x H x W in [-1, 1], or N x D.
        real: M of the same shape; of both sides as many are looked at, at most `MOST_SAMPLES`, the first ones.
        real_labels: The M classes of `real`, where they are known.
        seed: Starts k-means.

    Raises:
        ConfigurationError: Fewer than `FEWEST_SAMPLES` on a side, or different shapes.
    """
    count = min(len(samples), len(real), MOST_SAMPLES)
    if samples.shape[1:] != real.shape[1:] or count < FEWEST_SAMPLES:
        raise ConfigurationError(
            f"The diversity of samples of shape {tuple(samples.shape)} cannot be compared with real data of shape "
            f"{tuple(real.shape)}: give the same shape, and at least {FEWEST_SAMPLES} of each"
        )
    ours, theirs = coarse_vectors(samples[:count]), coarse_vectors(real[:count])
    spread, nearest = distance_shares(ours, theirs)
    labels = None if real_labels is None else real_labels[:count].cpu()
    if samples.ndim == 4:
        ours, theirs = _normalised(ours), _normalised(theirs)
    return SampleDiversity(spread=spread, nearest=nearest, kinds=_kinds_share(ours, theirs, labels, seed))


def distance_shares(ours: Tensor, theirs: Tensor) -> tuple[float, float]:
    """Spread and nearest distance of N vectors as shares of those of N real ones (see `SampleDiversity`)."""
    (spread, nearest), (real_spread, real_nearest) = _distances(ours), _distances(theirs)
    return _share(spread, real_spread), _share(nearest, real_nearest)


def coarse_vectors(samples: Tensor) -> Tensor:
    """Pictures averaged on a grid of at most 16 x 16, or points as they are: N x D, float64."""
    samples = samples.detach().cpu().double()
    if samples.ndim == 4:
        samples = functional.adaptive_avg_pool2d(samples, _grid_of(samples))
    return samples.flatten(1)


def _grid_of(pictures: Tensor) -> tuple[int, int]:
    height, width = pictures.shape[-2:]
    return min(_GRID_CELLS, height), min(_GRID_CELLS, width)


def _normalised(vectors: Tensor) -> Tensor:
    """Without brightness and contrast: pale samples are of no fewer kinds."""
    centred = vectors - vectors.mean(dim=1, keepdim=True)
    return centred / centred.norm(dim=1, keepdim=True).clamp(min=_FLAT)


def _distances(vectors: Tensor) -> tuple[float, float]:
    """The median distance of two, and to the nearest other one."""
    distances = torch.cdist(vectors, vectors, compute_mode="donot_use_mm_for_euclid_dist")
    others = distances[~torch.eye(len(vectors), dtype=torch.bool)].view(len(vectors), -1)
    return float(others.median()), float(others.amin(dim=1).median())


def _kinds_share(ours: Tensor, theirs: Tensor, labels: Tensor | None, seed: int) -> float:
    if labels is not None:
        _, kinds = labels.unique(return_inverse=True)
        return _share(_effective_kinds(kinds[nearest_centroid(ours, theirs)]), _effective_kinds(kinds))
    centres = centroids(theirs, min(_KINDS, len(theirs) // _MEMBERS_OF_A_KIND), seed=seed)
    return _share(
        _effective_kinds(nearest_centroid(ours, centres)), _effective_kinds(nearest_centroid(theirs, centres))
    )


def _effective_kinds(kinds: Tensor) -> float:
    shares = torch.bincount(kinds).double() / len(kinds)
    return float(torch.special.entr(shares).sum().exp())


def _share(ours: float, theirs: float) -> float:
    return ours / theirs if theirs > 0 else 1.0
