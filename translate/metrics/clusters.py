"""k-means: centroids of a set of vectors, and which of them is nearest."""

import warnings

import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from torch import Tensor

from translate.errors import ConfigurationError


def centroids(vectors: Tensor, count: int, *, seed: int = 0, iterations: int = 20) -> Tensor:
    """The centroids of k-means, started on vectors drawn by `seed`: count x D, float64.

    Args:
        vectors: N x D.
        count: At most N.
        seed: Draws the starting vectors.
        iterations: Rounds of Lloyd's algorithm.

    Raises:
        ConfigurationError: There are fewer vectors than centroids.
    """
    if not 1 <= count <= len(vectors):
        raise ConfigurationError(
            f"k-means cannot find {count} centroids among {len(vectors)} vectors: ask for 1 to {len(vectors)}"
        )
    data = vectors.detach().cpu().double().numpy()
    start = data[np.random.default_rng(seed).permutation(len(data))[:count]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty cluster keeps its centroid, which is well
        found, _ = kmeans2(data, start, iter=iterations, minit="matrix", missing="warn")
    return torch.from_numpy(found)


def nearest_centroid(vectors: Tensor, centres: Tensor) -> Tensor:
    """For each of N vectors (N x D) the number of its nearest centre (K x D): N integers."""
    return torch.cdist(vectors.to(centres), centres).argmin(dim=1)
