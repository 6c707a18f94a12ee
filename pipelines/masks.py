"""Masks as people have them, as H x W x 1 levels: 255 where a picture is to be filled, 0 where it is known. No torch.

A pixel is to be filled where its level is 128 or more, as grey; a mask painted in a colour that is darker than that
is refused rather than taken for an empty one, and so is one with transparency, which may mean either of the two.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from translate.data.pictures import Decoded, pixels_from_image, pixels_of
from translate.errors import PictureError

LEAST_LEVEL: Final = 128
"""What is to be filled has this level or more."""

Pixels = NDArray[np.uint8]

_OPAQUE: Final = 255


def mask_of(decoded: Decoded) -> Pixels:
    """A mask that was read from a file. Raises PictureError for one that does not say clearly what is to be filled."""
    _require_opaque(decoded.image, decoded.name)
    return _binary(pixels_of(decoded, channels=1), decoded.name)


def mask_from_image(image: Image.Image, name: str) -> Pixels:
    """A mask that is open already. Raises as `mask_of`."""
    _require_opaque(image, name)
    return _binary(pixels_from_image(image, channels=1), name)


def mask_from_array(array: NDArray[Any], name: str) -> Pixels:
    """A mask as an array, H x W or H x W x 1: bool, or uint8 levels. Raises as `mask_of`."""
    if array.dtype.name not in ("bool", "uint8") or array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,)):
        given = f"{' x '.join(map(str, array.shape))} {array.dtype}"
        raise PictureError("wrong_array", f"{name}: the mask is {given}; give H x W of bool (True: fill) or uint8")
    levels = array.astype(np.uint8) * np.uint8(_OPAQUE) if array.dtype == np.bool_ else array
    return _binary(levels.reshape(*array.shape[:2], 1), name)


def transparent(alpha: Pixels) -> Pixels:
    """The mask that fills whatever is not opaque: at the edge of a hole colours are mixed with those of the hole."""
    return np.where(alpha < _OPAQUE, np.uint8(_OPAQUE), np.uint8(0))


def _binary(levels: NDArray[Any], name: str) -> Pixels:
    brightest = int(levels.max(initial=0))
    if 0 < brightest < LEAST_LEVEL:
        raise PictureError(
            "dark_mask",
            f"{name}: the brightest level of the mask is {brightest}, so it fills nothing: paint what is to be filled "
            f"white ({LEAST_LEVEL} or more as grey; arrays of 0 and 1 as bool), and the rest black",
        )
    return np.where(levels >= LEAST_LEVEL, np.uint8(_OPAQUE), np.uint8(0))


def _require_opaque(image: Image.Image, name: str) -> None:
    if image.has_transparency_data and pixels_from_image(image, channels=4)[..., 3].min(initial=_OPAQUE) < _OPAQUE:
        raise PictureError(
            "transparent_mask",
            f"{name}: the mask has transparent pixels, and they may mean either: save it without transparency, white "
            "where the picture is to be filled and black elsewhere",
        )
