"""Which modes of a known distribution a generator reaches: grids and rings of Gaussians, and counts of any modes.

The protocol is PacGAN's (Lin et al. 2018, and its published code): a sample belongs to the nearest mode, and is of high
quality within three standard deviations of it; a mode is covered by one such sample; the reverse KL compares the
shares of the modes among samples of high quality with equal shares.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from translate.errors import ConfigurationError

WITHIN_SIGMAS = 3.0
"""In two dimensions a perfect sampler has exp(-9/2) = 1.1 % of its samples further out: 98.9 % is the ceiling."""


@dataclass(frozen=True, kw_only=True)
class ModeCoverage:
    """How samples spread over modes. `reverse_kl_nats` is infinite where no sample counts.

    `floor_nats` is what a perfect sampler has on average with so many samples of quality, (modes - 1) / 2N: the plug-in
    estimate of a divergence is biased by that much. Say it beside the figure.
    """

    modes: int
    covered: int
    samples: int
    high_quality_share: float
    reverse_kl_nats: float
    floor_nats: float

    def __str__(self) -> str:
        return (
            f"{self.covered} of {self.modes} modes, {self.high_quality_share:.1%} of {self.samples} samples of high "
            f"quality, reverse KL {self.reverse_kl_nats:.4f} nats (a perfect sampler: {self.floor_nats:.4f})"
        )


def coverage_of_counts(counts: Tensor, *, samples: int | None = None) -> ModeCoverage:
    """Coverage from the number of samples at each mode.

    KL(model || uniform) = sum_k p_k log(K p_k) in nats, p the shares among the samples that count.

    Args:
        counts: One integer a mode.
        samples: All samples, if some are at no mode; by default the sum of the counts.

    Raises:
        ConfigurationError: No modes, or fewer samples than are counted.
    """
    counted = int(counts.sum())
    total = counted if samples is None else samples
    if counts.ndim != 1 or len(counts) == 0 or total < counted:
        raise ConfigurationError(
            f"Counts of shape {tuple(counts.shape)} with a sum of {counted} do not fit {total} samples: give one count "
            "a mode, and at least as many samples"
        )
    shares = counts.double() / max(1, counted)
    divergence = float(torch.special.xlogy(shares, shares * len(counts)).sum())
    return ModeCoverage(
        modes=len(counts),
        covered=int((counts > 0).sum()),
        samples=total,
        high_quality_share=counted / total if total else 0.0,
        reverse_kl_nats=divergence if counted else math.inf,
        floor_nats=(len(counts) - 1) / (2 * counted) if counted else math.inf,
    )


@dataclass(frozen=True, kw_only=True)
class GaussianModes:
    """An even mixture of round Gaussians in the plane, of one standard deviation `sigma`, in the points' own units."""

    centres: tuple[tuple[float, float], ...]
    sigma: float

    @classmethod
    def grid25(cls) -> "GaussianModes":
        """25 modes at {-4, -2, 0, 2, 4}^2, sigma 0.05 (PacGAN's and VEEGAN's 2D-grid)."""
        places = (-4.0, -2.0, 0.0, 2.0, 4.0)
        return cls(centres=tuple((x, y) for x in places for y in places), sigma=0.05)

    @classmethod
    def ring8(cls) -> "GaussianModes":
        """Eight modes on a circle of radius 1, sigma 0.01 (PacGAN's and VEEGAN's 2D-ring)."""
        return _ring(modes=8, radius=1.0, sigma=0.01)

    @classmethod
    def unrolled_ring8(cls) -> "GaussianModes":
        """Eight modes on a circle of radius 2, sigma 0.02 (Metz et al. 2017, "Unrolled GANs")."""
        return _ring(modes=8, radius=2.0, sigma=0.02)

    def sample(self, n: int, seed: int) -> Tensor:
        """Draw n points: n x 2, float32; the same seed gives the same points."""
        draw = torch.Generator().manual_seed(seed)
        centres = torch.tensor(self.centres)[torch.randint(len(self.centres), (n,), generator=draw)]
        return centres + self.sigma * torch.randn(n, 2, generator=draw)

    def coverage(self, points: Tensor) -> ModeCoverage:
        """How points (N x 2) cover the modes; a point that is not finite is of no quality.

        Raises:
            ConfigurationError: The points are not N x 2.
        """
        if points.ndim != 2 or points.shape[1] != 2:
            raise ConfigurationError(f"Points in a plane are N x 2, these are {tuple(points.shape)}: give two a sample")
        points = points.detach().cpu().double()
        finite = points[points.isfinite().all(dim=1)]
        distance, mode = torch.cdist(finite, torch.tensor(self.centres, dtype=torch.float64)).min(dim=1)
        near = mode[distance <= WITHIN_SIGMAS * self.sigma]
        return coverage_of_counts(torch.bincount(near, minlength=len(self.centres)), samples=len(points))


def _ring(*, modes: int, radius: float, sigma: float) -> GaussianModes:
    angles = [2 * math.pi * mode / modes for mode in range(modes)]
    return GaussianModes(centres=tuple((radius * math.cos(a), radius * math.sin(a)) for a in angles), sigma=sigma)
