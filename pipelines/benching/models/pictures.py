"""What goes through a model while it is timed: a real picture at several sizes."""

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from translate.card import Card, Picture
from translate.data.pictures import read_picture
from translate.runtime.codec import Pixels, Sample
from translate.runtime.synthetic import synthetic_sample

_EXAMPLES: Final = ("example.jpg", "example.png", "example.webp")


def example_beside(model: Path) -> Path | None:
    """The picture that a bundle shows what it does with, if there is one."""
    return next((path for name in _EXAMPLES if (path := model.parent / name).is_file()), None)


def sample_of(card: Card, picture: Path | None, side_px: int) -> Sample:
    """A square picture for each input of a model; made-up ones where there is no real one, and for masks and labels.

    Raises PictureError for a file that is refused.
    """
    made_up = synthetic_sample(card, side_px, side_px)
    if picture is None:
        return made_up
    ports = [port for port in card.input_pictures if isinstance(port, Picture)]
    return {**made_up, **{port.name: _square(picture, port, side_px) for port in ports}}


def _square(path: Path, port: Picture, side_px: int) -> Pixels:
    """The middle of the picture, H x W x C, resized (Lanczos)."""
    pixels = read_picture(path, channels=port.channels)
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = Image.fromarray(pixels[top : top + side, left : left + side].squeeze())
    resized = np.asarray(cut.resize((side_px, side_px), Image.Resampling.LANCZOS))
    return resized.reshape(side_px, side_px, port.channels)
