"""Where the pictures of a set come from: a folder, or arrays in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from translate.data.folders import Listing, list_folder
from translate.data.pictures import Pixels, decode, pixels_from_image, pixels_of, read_bytes
from translate.errors import DatasetError

Pictures = Path | Sequence[Pixels]
"""A folder (all pictures in it and below), or arrays: uint8, H x W or H x W x 1, 3 or 4, of any sizes."""

_RGB = 3


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One picture as RGB, H x W x 3 uint8, and whether its file had lost something already (JPEG, lossy WebP)."""

    pixels: Pixels
    lossy: bool


class Source(Protocol):
    """Pictures that can be opened one by one."""

    @property
    def where(self) -> str:
        """What to call the set."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """One for each picture."""
        ...

    def open(self, index: int) -> Opened:
        """Read a picture. Raises PictureError for one that is refused."""
        ...


@dataclass(frozen=True)
class FolderSource:
    """All pictures in a folder and below it, by the rules of `translate.data.pictures` (transparency on white)."""

    folder: Path

    @property
    def where(self) -> str:
        """The folder's path."""
        return str(self.folder)

    @property
    def names(self) -> Sequence[str]:
        """Paths below the folder."""
        return [path.relative_to(self.folder).as_posix() for path in self._listing.files]

    def open(self, index: int) -> Opened:
        """Read a picture. Raises PictureError for one that is refused."""
        path = self._listing.files[index]
        decoded = decode(read_bytes(path), str(path))
        return Opened(pixels=pixels_of(decoded, channels=_RGB), lossy=decoded.lossy)

    @cached_property
    def _listing(self) -> Listing:
        if not self.folder.is_dir():
            raise DatasetError(f"{self.folder}: there is no such folder: give a folder of pictures")
        return list_folder(self.folder, self.folder)


@dataclass(frozen=True, kw_only=True)
class ArraySource:
    """Pictures in memory, named by their place."""

    arrays: Sequence[Pixels]
    where: str

    @property
    def names(self) -> Sequence[str]:
        """Places, from 0."""
        return [str(index) for index in range(len(self.arrays))]

    def open(self, index: int) -> Opened:
        """The picture as RGB. Raises DatasetError for what is not an array of pixels."""
        array = self.arrays[index]
        if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
            raise DatasetError(
                f"Picture {index} of {self.where} has shape {array.shape} and type {array.dtype}: "
                "give uint8, H x W or H x W x 1, 3 or 4"
            )
        image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)
        return Opened(pixels=pixels_from_image(image, channels=_RGB), lossy=False)


def source_of(pictures: Pictures, name: str) -> Source:
    """A source for a folder or for arrays, which are called `name`."""
    return FolderSource(pictures) if isinstance(pictures, Path) else ArraySource(arrays=pictures, where=name)
