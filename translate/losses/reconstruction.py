"""Distances between a made picture and the true one, element by element, mean over all elements.

Cycle and identity losses are `l1` of the right two pictures: the methods say which. Computed in float32 or better.
"""

from torch import Tensor

from translate.losses.scores import at_least_float32


def l1(made: Tensor, true: Tensor) -> Tensor:
    """E |made - true|; tensors of one shape."""
    return _difference(made, true).abs().mean()


def l2(made: Tensor, true: Tensor) -> Tensor:
    """E (made - true)^2; tensors of one shape."""
    return _difference(made, true).square().mean()


def charbonnier(made: Tensor, true: Tensor, *, epsilon: float = 1e-3) -> Tensor:
    """E sqrt((made - true)^2 + epsilon^2): L1 with a round tip (Lai et al. 2017, LapSRN, eq. 2); `epsilon` if equal."""
    return (_difference(made, true).square() + epsilon**2).sqrt().mean()


def _difference(made: Tensor, true: Tensor) -> Tensor:
    # Broadcasting would hide a lost dimension and still give a number.
    if made.shape != true.shape:
        raise ValueError(f"pictures to compare have different shapes: {tuple(made.shape)} and {tuple(true.shape)}")
    return at_least_float32(made) - at_least_float32(true)
