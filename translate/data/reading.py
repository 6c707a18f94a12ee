"""From the sources of one sample to pixels: what is read of a data set while a run trains."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from translate.card import LabelMap, PicturePort
from translate.data.items import Source
from translate.data.pictures import Decoded, decode, labels_of, labels_within, pixels_of, read_bytes


class SampleReader:
    """Reads the sources of one sample, one after the other; both halves of a file are decoded once."""

    def __init__(self, contents: Callable[[Path], bytes] = read_bytes) -> None:
        """Begin a sample.

        Args:
            contents: gives the bytes of a file, or raises PictureError.
        """
        self._contents = contents
        self._last: tuple[Path, Decoded] | None = None

    def __call__(self, source: Source, port: PicturePort) -> np.ndarray:
        """The pixels of a source.

        Returns:
            uint8 H x W x C for pictures; H x W for label maps, uint8 or, above 256 classes, int32.

        Raises:
            PictureError: whatever is wrong with the file.
        """
        decoded = self._decoded(source.path)
        if isinstance(port, LabelMap):
            labels = labels_within(labels_of(decoded, half=source.half), port.classes, decoded.name)
            return labels.astype(pixel_type(port))
        return pixels_of(decoded, channels=port.channels, half=source.half)

    def _decoded(self, path: Path) -> Decoded:
        if self._last is None or self._last[0] != path:
            self._last = None  # a large picture goes before the next one comes
            self._last = path, decode(self._contents(path), str(path))
        return self._last[1]


def pixel_type(port: PicturePort) -> np.dtype[np.generic]:
    """The type of a port's pixels as they are read."""
    return np.dtype(np.int32 if isinstance(port, LabelMap) and port.classes > 256 else np.uint8)
