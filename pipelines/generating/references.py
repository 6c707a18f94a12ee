"""The training pictures of a folder, in the size of a generator's samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipelines.generating.generate import Advance, image_of
from pipelines.generating.neighbours import Pictures
from translate.card import FixedPicture
from translate.data.folders import list_folder
from translate.data.pictures import read_picture
from translate.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class References:
    """Pictures, N x H x W x C, and the files that they come from."""

    pictures: Pictures
    paths: tuple[Path, ...]


def read_references(folder: Path, port: FixedPicture, *, progress: Advance | None = None) -> References:
    """Every picture in a folder and below, in the order of the names.

    Raises:
        DatasetError: the folder cannot be listed or holds no pictures.
        PictureError: a picture is refused.
    """
    paths = list_folder(folder, folder).files
    if not paths:
        raise DatasetError(f"{folder}: there are no pictures in this folder")
    return References(pictures=_read(paths, port, progress), paths=paths)


def read_fitting(path: Path, port: FixedPicture) -> Pictures:
    """One picture in a port's size, H x W x C: scaled, and cut in the middle where the shape is another."""
    pixels = read_picture(path, channels=port.channels)
    if pixels.shape[:2] == (port.height_px, port.width_px):
        return pixels
    image = ImageOps.fit(image_of(pixels), (port.width_px, port.height_px), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(port.height_px, port.width_px, port.channels)


def _read(paths: Sequence[Path], port: FixedPicture, progress: Advance | None) -> Pictures:
    pictures = np.empty((len(paths), port.height_px, port.width_px, port.channels), dtype=np.uint8)
    for place, path in enumerate(paths):
        pictures[place] = read_fitting(path, port)
        if progress is not None:
            progress(place + 1, len(paths))
    return pictures
