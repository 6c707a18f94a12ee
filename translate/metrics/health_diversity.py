"""Health: do different inputs give different outputs?"""

import torch
from torch import Tensor
from torch.nn import functional

from translate.metrics.finding import Finding
from translate.metrics.remedies import Remedies, advice, slower

LOW_SPREAD = 0.35
"""Outputs whose median distance is below this share of the real pictures' are too alike.

Measured shares: targets blurred until unusable 0.75, a flat fill 0.89, half the contrast between pictures 0.50; 80 % of
the way to the mean picture 0.20, one picture with noise 0.06.
"""

LOW_NEAREST = 0.15
"""The same for the distance to the nearest other picture, which sees a handful of outputs that repeat.

Measured shares: the harmless changes above 0.46 or more; 4 pictures repeated 16 times 0.00.
"""

_FEWEST_PICTURES = 8
_GRID_CELLS = 16
_LEVELS_PER_UNIT = 127.5


def spread_levels(pictures: Tensor) -> tuple[float, float]:
    """Median distance of two pictures, and median distance to the nearest other one, in levels of 255.

    Pictures (N x C x H x W in [-1, 1]) are first averaged on a grid of 16 x 16, so that noise is no diversity.
    """
    grid = functional.adaptive_avg_pool2d(pictures.float(), _GRID_CELLS).flatten(1)
    distances = torch.cdist(grid, grid, compute_mode="donot_use_mm_for_euclid_dist")
    levels = distances * (_LEVELS_PER_UNIT / grid.shape[1] ** 0.5)
    others = levels[~torch.eye(len(levels), dtype=torch.bool, device=levels.device)].view(len(levels), -1)
    return float(others.median()), float(others.amin(dim=1).median())


def check_diversity(
    outputs: Tensor,
    targets: Tensor,
    inputs: Tensor,
    *,
    generator: str = "generator",
    remedies: Remedies | None = None,
) -> list[Finding]:
    """Find outputs that are all alike (mode collapse) or that repeat a few pictures.

    Args:
        outputs: N x C x H x W in [-1, 1].
        targets: Real pictures of the same domain, in any order.
        inputs: What the outputs were made from: inputs that nearly repeat excuse outputs that do.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    if min(len(outputs), len(targets), len(inputs)) < _FEWEST_PICTURES:
        return []
    (spread, nearest), (real_spread, real_nearest) = spread_levels(outputs), spread_levels(targets)
    expected_nearest = min(real_nearest, spread_levels(inputs)[1])
    told = _told(spread, real_spread, nearest, real_nearest, expected_nearest)
    return [_finding(generator, told, remedies or Remedies())] if told else []


def _told(spread: float, real_spread: float, nearest: float, real_nearest: float, expected_nearest: float) -> str:
    """What is wrong in words, or nothing."""
    if spread < LOW_SPREAD * real_spread:
        return f"differ by {spread:.1f} levels of 255, real ones by {real_spread:.1f}"
    if nearest < LOW_NEAREST * expected_nearest:
        return f"have a near copy at {nearest:.1f} levels of 255, real ones at {real_nearest:.1f}"
    return ""


def _finding(generator: str, how: str, remedies: Remedies) -> Finding:
    return Finding(
        code="low_diversity",
        severity="warning",
        message=f"The pictures of {generator} are too alike: they {how}. It answers much the same to any input.",
        remedy="Check that the training pictures vary and that pairs belong together. Then train again. "
        + advice([*remedies.sameness, slower(generator)]),
    )
