"""The distances to a true picture that a recipe can name."""

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor

from translate.losses.reconstruction import charbonnier, l1, l2
from translate.losses.structural import structural

ReconstructionName = Literal["l1", "l2", "charbonnier", "ssim"]

RECONSTRUCTIONS: Mapping[ReconstructionName, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1,
    "l2": l2,
    "charbonnier": charbonnier,
    "ssim": structural,
}
