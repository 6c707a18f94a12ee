"""Any size in, exactly that size out: pad to what a network takes, crop back."""

import math

import numpy as np
from numpy.typing import NDArray

from translate.card import SizeRule


def padded_size(height_px: int, width_px: int, rule: SizeRule) -> tuple[int, int]:
    """The least size in the rule that holds a picture of this size."""

    def along(length: int) -> int:
        return math.ceil(max(length, rule.at_least_px) / rule.multiple_of_px) * rule.multiple_of_px

    return along(height_px), along(width_px)


def pad(array: NDArray[np.float32], rule: SizeRule) -> NDArray[np.float32]:
    """Pad N x C x H x W at the right and the bottom by reflection, again and again where the picture is smaller.

    A single row or column has nothing to reflect and is repeated.
    """
    height, width = array.shape[2:]
    to_height, to_width = padded_size(height, width, rule)
    return np.pad(array, ((0, 0), (0, 0), (0, to_height - height), (0, to_width - width)), mode="reflect")


def crop(array: NDArray[np.float32], height_px: int, width_px: int) -> NDArray[np.float32]:
    """Take the padding off again."""
    return array[:, :, :height_px, :width_px]
