"""Data sets for `benchmarks.data_path`: pictures that take as much decoding as photographs, shapes with grain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

_SHAPES_PX = 32


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A data set, and the recipe that reads and trains it."""

    recipe: str
    folders: tuple[str, ...]
    count: int
    """Pictures in each folder."""
    height: int
    width: int
    file_format: str = "png"
    augmentation: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is other than in the recipe."""

    def draw(self, root: Path, share: float = 1.0) -> None:
        """Write this share of it."""
        for number, folder in enumerate(self.folders):
            (root / folder).mkdir(parents=True)
            for index in range(round(share * self.count)):
                picture = drawn(index + 100_000 * number, self.height, self.width)
                options = {"quality": 92} if self.file_format == "jpg" else {}
                picture.save(root / folder / f"{index:05d}.{self.file_format}", **options)


def drawn(seed: int, height: int, width: int) -> Image.Image:
    """Coarse shapes with grain."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // _SHAPES_PX + 2, width // _SHAPES_PX + 2, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    grain = random.integers(-12, 13, (height, width, 1), dtype=np.int16)
    return Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))


_pairs = partial(Kind, folders=("trainA", "trainB"), count=200, height=256, width=256)
_photos = partial(Kind, folders=("train",), count=24, height=3000, width=4000, file_format="jpg")

KINDS = {
    "pairs 256 px PNG": _pairs(recipe="pix2pix"),
    "pairs 256 px JPEG": _pairs(recipe="pix2pix", file_format="jpg"),
    "photos 12 MP JPEG, crops of 128 px": _photos(recipe="compact", augmentation={"crop_px": 128, "load_px": 128}),
    "photos 12 MP JPEG, resized to about 128 px": _photos(recipe="colourise"),
    "classes 64 px PNG": Kind(recipe="dcgan", folders=("train/dark", "train/light"), count=1000, height=64, width=64),
}
