"""The energy distance of two sets of points."""

import torch
from torch import Tensor


def energy_distance(made: Tensor, real: Tensor) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| in the points' units, without bias (Szekely and Rizzo 2013).

    It is 0 in expectation where both sets are drawn from one distribution, and above 0 where they are not; an estimate
    may fall a little below 0.

    Args:
        made: N x D points, N at least 2.
        real: M x D points, M at least 2.
    """
    between = torch.cdist(made.double(), real.double()).mean()
    return float(2.0 * between - _within(made.double()) - _within(real.double()))


def _within(points: Tensor) -> Tensor:
    """Mean distance of two different points."""
    count = len(points)
    return torch.cdist(points, points).sum() / (count * (count - 1))
