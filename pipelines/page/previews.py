"""What the page shows of pictures: small copies. Models get, and people download, the pictures themselves."""

import colorsys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.page.serving import Intake
from translate.card import LabelMap, PicturePort

SIDE_PX: Final = 1600
CANVAS_PX: Final = 1024
_GOLDEN: Final = 0.618033988749895


def preview_of_file(path: Path, intake: Intake, *, side_px: int = CANVAS_PX) -> Image.Image:
    """An upload, upright and on white, no larger than that. Raises PictureError."""
    return shrunk(Image.fromarray(intake.decode(path).pixels), side_px)


def preview_of(pixels: NDArray[np.integer], port: PicturePort) -> Image.Image:
    """What goes into or comes out of a port, to be looked at: classes in colours of their own."""
    if isinstance(port, LabelMap):
        return Image.fromarray(_palette(port.classes)[pixels.reshape(pixels.shape[:2])])
    levels = pixels.astype(np.uint8)
    if levels.shape[2] == 4:
        white = Image.new("RGBA", levels.shape[1::-1], "white")
        return Image.alpha_composite(white, Image.fromarray(levels)).convert("RGB")
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels[..., :3]).convert("RGB")


def shrunk(picture: Image.Image, side_px: int = SIDE_PX) -> Image.Image:
    """As it is, or smaller."""
    factor = side_px / max(picture.size)
    if factor >= 1:
        return picture
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def like(picture: Image.Image, other: Image.Image) -> Image.Image:
    """In the other's size, so that both lie on one another."""
    return picture if picture.size == other.size else picture.resize(other.size, Image.Resampling.BICUBIC)


def _palette(classes: int) -> NDArray[np.uint8]:
    """Colours that differ, whatever the number of classes: hues a golden section apart."""
    colours = [colorsys.hsv_to_rgb(index * _GOLDEN % 1.0, 0.55, 0.9) for index in range(classes)]
    return np.rint(np.array(colours) * 255).astype(np.uint8)
