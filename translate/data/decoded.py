"""A picture that is decoded: its halves, and the classes that it holds where it is a label map."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from translate.data.colour import Depth
from translate.data.headers import Probe
from translate.data.items import Half
from translate.data.refusals import refuse


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture that is loaded and upright, with what its header said."""

    name: str
    image: Image.Image
    probe: Probe
    depth: Depth
    lossy: bool

    def half(self, half: Half) -> Image.Image:
        """The whole picture, or one side of it, cut at width // 2.

        Raises:
            PictureError: `odd_width` where a side is asked of a picture that has no middle.
        """
        width, height = self.image.size
        if half == "whole":
            return self.image
        if width % 2:
            raise refuse(
                "odd_width", self.name, f"is {width} px wide, but two pictures side by side have an even width"
            )
        box = (0, 0, width // 2, height) if half == "left" else (width // 2, 0, width, height)
        side = self.image.crop(box)
        side.format = self.image.format
        return side


def labels_of(decoded: Decoded, *, half: Half = "whole") -> npt.NDArray[np.integer]:
    """The integers of a decoded label map, H x W, whatever their range. Raises PictureError as `read_label_map`."""
    if decoded.lossy:
        raise refuse("lossy_label_map", decoded.name, "lossy compression changes labels: save label maps as PNG")
    mode = decoded.image.mode
    if mode not in ("1", "L", "P", "I") and not mode.startswith("I;16"):
        raise refuse(
            "unsupported_mode", decoded.name, f"is {mode}, not one number a pixel: save the class indices as PNG"
        )
    values = np.asarray(decoded.half(half))
    if values.dtype.itemsize == 4 and (values.min() < 0 or values.max() > 65535):
        raise refuse("label_out_of_range", decoded.name, "has labels below 0 or above 65535: map them to 0, 1, 2, ...")
    values = values.astype(np.uint16)
    if mode == "L" and decoded.depth.bits in (2, 4):  # Pillow has spread them over 0 to 255
        values //= 255 // (2**decoded.depth.bits - 1)
    return values


def labels_within(labels: npt.NDArray[np.integer], classes: int, name: str) -> npt.NDArray[np.integer]:
    """The labels as uint8, or uint16 above 256 classes. Raises PictureError: `label_out_of_range`."""
    top = int(labels.max(initial=0))
    if top >= classes:
        raise refuse(
            "label_out_of_range", name, f"has the label {top}; {classes} classes are 0 to {classes - 1}: map it to them"
        )
    return labels.astype(np.uint8 if classes <= 256 else np.uint16)
