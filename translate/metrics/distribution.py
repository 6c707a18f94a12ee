"""How far the outputs as a set are from real pictures as a set, for data without pairs.

Both distances work on embeddings by a *named* network. The Frechet distance is reported under that name
("FD-EffNetLite1") and never as FID, which is bound to one Inception network and one way to resize. KID's estimate
is unbiased, so it is the figure to trust where there are fewer pictures than a few times the dimensions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from translate.errors import ConfigurationError
from translate.metrics.backbone import Embedder, as_backbone_input

Embeddings = npt.NDArray[np.float64]
"""One row a picture: N x D."""

_FEWEST_PICTURES = 4
_HALVES_DRAWN = 100


class EmbeddingCollector:
    """Embeds pictures batch by batch and keeps only the vectors.

    Args:
        backbone: A frozen network that had no part in training what is scored.
    """

    def __init__(self, backbone: Embedder) -> None:
        self._backbone = backbone
        self._rows: list[Tensor] = []

    @torch.no_grad()
    def add(self, pictures: Tensor) -> None:
        """Embed N x C x H x W pictures in [-1, 1], C = 1, 3 or 4. Raises ConfigurationError for other channels."""
        self._rows.append(self._backbone.embed_narrow(as_backbone_input(pictures)).cpu())

    def embeddings(self) -> Embeddings:
        """All vectors so far. Raises ConfigurationError if there are none."""
        if not self._rows:
            raise ConfigurationError("There are no pictures to embed: add some before asking for their embeddings")
        return torch.cat(self._rows).double().numpy()


@dataclass(frozen=True, kw_only=True)
class FrechetDistance:
    """A Frechet distance and what it rests on: the numbers of pictures and the dimensions of the embedding."""

    value: float
    outputs: int
    reals: int
    dimensions: int

    @property
    def reliable(self) -> bool:
        """Whether both sets outnumber the dimensions; otherwise the value is far too high, though still finite."""
        return min(self.outputs, self.reals) > self.dimensions

    def __str__(self) -> str:
        counts = f"{self.outputs} outputs, {self.reals} real pictures, {self.dimensions} dimensions"
        advice = "" if self.reliable else "; fewer pictures than dimensions: biased upwards, read KID instead"
        return f"{self.value:.3f} ({counts}{advice})"


def frechet_distance(outputs: Embeddings, reals: Embeddings) -> FrechetDistance:
    """Squared Frechet distance of the Gaussians fitted to two sets (Dowson and Landau 1982).

    |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2). The last trace is the sum of the singular values of A B^T for any
    A, B with C1 = A^T A and C2 = B^T B; taken so, singular covariances (fewer pictures than dimensions) need no
    offset and nothing becomes complex. The bias depends on the numbers of pictures: compare figures only at equal ones.

    Args:
        outputs: N x D.
        reals: M x D; M may differ from N.

    Raises:
        ConfigurationError: Fewer than 4 pictures on a side, or different dimensions.
    """
    _require_comparable(outputs, reals)
    first, second = _covariance_root(outputs), _covariance_root(reals)
    cross = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    means = np.square(outputs.mean(axis=0) - reals.mean(axis=0)).sum()
    value = means + np.square(first).sum() + np.square(second).sum() - 2 * cross
    return FrechetDistance(
        value=max(0.0, float(value)), outputs=len(outputs), reals=len(reals), dimensions=outputs.shape[1]
    )


def _covariance_root(vectors: Embeddings) -> Embeddings:
    """A matrix A of at most D rows with A^T A the sample covariance."""
    centred = (vectors - vectors.mean(axis=0)) / np.sqrt(len(vectors) - 1)
    return np.linalg.qr(centred).R


@dataclass(frozen=True, kw_only=True)
class KernelDistance:
    """KID with its standard error, and the numbers of pictures that were compared; slightly negative is normal.

    Its scale is that of the embedding, cubed: compare it with its error, and with figures by the same network only.
    """

    value: float
    standard_error: float
    outputs: int
    reals: int

    def __str__(self) -> str:
        return f"{self.value:.3g} ± {self.standard_error:.2g} ({self.outputs} outputs, {self.reals} real pictures)"


def kernel_distance(
    outputs: Embeddings, reals: Embeddings, *, seed: int = 0, at_most: int = 2000, subsets: int = _HALVES_DRAWN
) -> KernelDistance:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / D + 1)^3 (KID, Binkowski et al. 2018).

    The value uses all pictures at once, which has less variance than the usual mean over small subsets. The standard
    error is the spread over random halves (the delete-half jackknife, Shao and Wu 1989); where the two sets do not
    differ at all it is too large by up to a factor of 1.7, that is, on the safe side.

    Args:
        outputs: N x D.
        reals: M x D; M may differ from N.
        seed: Draws the halves, and the pictures where there are too many.
        at_most: Pictures of a set beyond this number are left out (time and memory grow with the square).
        subsets: How many halves are drawn for the standard error.

    Raises:
        ConfigurationError: Fewer than 4 pictures on a side, or different dimensions.
    """
    _require_comparable(outputs, reals)
    draw = np.random.default_rng(seed)
    outputs, reals = _draw(outputs, at_most, draw), _draw(reals, at_most, draw)
    both = np.concatenate([outputs, reals])
    kernel = (both @ both.T / both.shape[1] + 1) ** 3
    rows, columns = np.arange(len(outputs)), np.arange(len(outputs), len(both))
    halves = [_unbiased_discrepancy(kernel, _half(rows, draw), _half(columns, draw)) for _ in range(subsets)]
    return KernelDistance(
        value=_unbiased_discrepancy(kernel, rows, columns),
        standard_error=float(np.std(halves)),
        outputs=len(outputs),
        reals=len(reals),
    )


def _unbiased_discrepancy(kernel: Embeddings, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> float:
    across = kernel[np.ix_(rows, columns)].mean()
    return float(_mean_off_diagonal(kernel, rows) + _mean_off_diagonal(kernel, columns) - 2 * across)


def _mean_off_diagonal(kernel: Embeddings, chosen: npt.NDArray[np.intp]) -> float:
    """The mean over pairs of *different* pictures; with the diagonal the estimate would be biased upwards."""
    block = kernel[np.ix_(chosen, chosen)]
    return float((block.sum() - np.trace(block)) / (len(chosen) * (len(chosen) - 1)))


def _draw(vectors: Embeddings, at_most: int, draw: np.random.Generator) -> Embeddings:
    return vectors if len(vectors) <= at_most else draw.permutation(vectors)[:at_most]


def _half(indices: npt.NDArray[np.intp], draw: np.random.Generator) -> npt.NDArray[np.intp]:
    return draw.permutation(indices)[: len(indices) // 2]


def _require_comparable(outputs: Embeddings, reals: Embeddings) -> None:
    if outputs.ndim != 2 or reals.ndim != 2 or outputs.shape[1] != reals.shape[1]:
        raise ConfigurationError(
            f"Cannot compare embeddings of shapes {outputs.shape} and {reals.shape}: use one backbone for both sets"
        )
    if min(len(outputs), len(reals)) < _FEWEST_PICTURES:
        raise ConfigurationError(
            f"{len(outputs)} outputs and {len(reals)} real pictures are too few for a distance of distributions: "
            f"give at least {_FEWEST_PICTURES} of each, better hundreds"
        )
