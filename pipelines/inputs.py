"""Pictures as people have them, as the pixels that a port takes. No torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_never

import numpy as np
from PIL import Image

from pipelines.masks import mask_from_array, mask_from_image, mask_of
from translate.card import LabelMap, Mask, Picture, PicturePort
from translate.data.pictures import decode, pixels_from_image, read_bytes, read_label_map, read_picture
from translate.errors import PictureError
from translate.runtime.codec import Pixels

Input = Image.Image | str | Path | Pixels
"""A picture as people have it: a PIL image, a path, or uint8 H x W x C.

Label maps are integers, H x W; masks bool or uint8, H x W.
"""


def pixels_for(image: Input, port: PicturePort) -> Pixels:
    """The pixels of an input: H x W x C uint8, or a label map, H x W.

    Raises:
        PictureError: a file or an array that is refused.
    """
    match port:
        case Picture():
            return _picture(image, port)
        case LabelMap():
            return _label_map(image, port)
        case Mask():
            return _mask(image, port)
        case _:
            assert_never(port)


def size_px(sample: Mapping[str, Pixels]) -> tuple[int, int]:
    """Height and width of the pictures of one sample."""
    height, width = next(iter(sample.values())).shape[:2]
    return height, width


def require_one_size(sample: Mapping[str, Pixels]) -> None:
    """Raises PictureError that names the sizes, where those of one sample differ."""
    if len({pixels.shape[:2] for pixels in sample.values()}) > 1:
        sizes = ", ".join(f"{name} is {pixels.shape[1]} x {pixels.shape[0]}" for name, pixels in sample.items())
        raise PictureError("sizes_differ", f"The pictures of one sample must have one size: {sizes}")


def _picture(image: Input, port: Picture) -> Pixels:
    if isinstance(image, str | Path):
        return read_picture(Path(image), channels=port.channels)
    if isinstance(image, Image.Image):
        return pixels_from_image(image, channels=port.channels)
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != port.channels or array.size == 0:
        raise PictureError(
            "wrong_array",
            f"The array for {port.name!r} is {_described(array)}; give H x W x {port.channels} uint8, or a PIL image",
        )
    return array


def _label_map(image: Input, port: LabelMap) -> Pixels:
    if isinstance(image, str | Path):
        return read_label_map(Path(image), classes=port.classes)
    array = np.asarray(image)
    if array.dtype.kind not in "bui" or array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,)) or not array.size:
        raise PictureError(
            "wrong_array", f"The label map for {port.name!r} is {_described(array)}; give one integer a pixel, H x W"
        )
    if array.min() < 0 or array.max() >= port.classes:
        raise PictureError(
            "label_out_of_range",
            f"The label map for {port.name!r} has labels from {array.min()} to {array.max()}; "
            f"the model knows 0 to {port.classes - 1}",
        )
    return array


def _mask(image: Input, port: Mask) -> Pixels:
    if isinstance(image, str | Path):
        path = Path(image)
        return mask_of(decode(read_bytes(path), str(path)))
    if isinstance(image, Image.Image):
        return mask_from_image(image, port.name)
    return mask_from_array(np.asarray(image), port.name)


def _described(array: Pixels) -> str:
    return f"{' x '.join(map(str, array.shape))} {array.dtype}"
