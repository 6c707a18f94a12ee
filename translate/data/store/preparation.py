"""What is done to the pictures of a sample before anything is drawn, and what its outcome depends on."""

import functools
import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL
from PIL import features

from translate.card import LabelMap, PicturePort
from translate.data import augmentation as augmenting
from translate.data import colour, headers, pictures, reading
from translate.data.augmentation import Augmentation, before_drawing
from translate.data.items import Source
from translate.data.reading import SampleReader, pixel_type

_FORMAT = 1
_CODECS = ("libjpeg_turbo", "jpg", "zlib", "zlib_ng", "webp", "libtiff", "littlecms2")
_RULES = (augmenting, colour, headers, pictures, reading)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How the pictures of a sample are read, and resized as far as no chance is in it."""

    ports: tuple[PicturePort, ...]
    """Of the domains that share a sample, one after the other."""
    augmentation: Augmentation
    """Only what it does to every picture alike counts."""

    @property
    def key(self) -> str:
        """All that decides the pixels beside the files, as JSON; another key is another store."""
        return json.dumps(
            {
                "format": _FORMAT,
                "ports": [_kind(port) for port in self.ports],
                "loading": self.augmentation.loading,
                "versions": versions(),
            }
        )

    def shape(self, index: int, height: int, width: int) -> tuple[int, ...]:
        """Of a port's pixels: H x W x C, or H x W for label maps."""
        port = self.ports[index]
        return (height, width) if isinstance(port, LabelMap) else (height, width, port.channels)

    def type(self, index: int) -> np.dtype[np.generic]:
        """Of a port's pixels."""
        return pixel_type(self.ports[index])

    def read(self, sources: tuple[Source, ...], contents: Callable[[Path], bytes]) -> list[np.ndarray]:
        """The pictures of a sample, one for each port.

        Args:
            sources: one for each port.
            contents: gives the bytes of a file.

        Raises:
            PictureError: for the first picture that cannot be read.
        """
        read = SampleReader(contents)
        found = {port.name: read(source, port) for port, source in zip(self.ports, sources, strict=True)}
        prepared = before_drawing(self.augmentation, found, self.ports)
        return [prepared[port.name] for port in self.ports]


def _kind(port: PicturePort) -> str:
    return f"labels:{port.classes}" if isinstance(port, LabelMap) else f"channels:{port.channels}"


@functools.cache
def versions() -> Mapping[str, str | None]:
    """What decodes and resizes; a digest of our own rules too, so that no version number has to be kept for them."""
    rules = hashlib.sha256()
    for module in _RULES:
        rules.update(Path(str(module.__file__)).read_bytes())
    return {
        "rules": rules.hexdigest(),
        "machine": platform.machine(),
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
        **{name: features.version(name) for name in _CODECS},
    }
