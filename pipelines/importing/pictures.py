"""Pictures to prove an import on where nobody gives any: made up, the same ones every time."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from translate.card import PicturePort
from translate.runtime.codec import Pixels

_COUNT = 3
_SIDE_PX = 256
_COARSE_PX = 9
_SHAPES = 12


def made_up_pictures(ports: Sequence[PicturePort]) -> list[dict[str, Pixels]]:
    """Smooth colours with sharp-edged rectangles before them, by input port: soft and hard, as photographs are."""
    random = np.random.default_rng(0)
    return [{port.name: _picture(random, port.channels) for port in ports} for _ in range(_COUNT)]


def _picture(random: np.random.Generator, channels: int) -> Pixels:
    picture = np.stack([_smooth(random) for _ in range(channels)], axis=-1)
    for _ in range(_SHAPES):
        top, left = random.integers(0, _SIDE_PX - 1, 2)
        height, width = random.integers(1, _SIDE_PX // 3, 2)
        picture[top : top + height, left : left + width] = random.integers(0, 256, channels)
    return picture


def _smooth(random: np.random.Generator) -> Pixels:
    coarse = Image.fromarray(random.integers(0, 256, (_COARSE_PX, _COARSE_PX), dtype=np.uint8))
    return np.array(coarse.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BICUBIC))
