"""From files to what a model takes, in two steps: the bytes with what their headers say, then the pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.masks import mask_of
from translate.card import Card, LabelMap, Mask, PicturePort
from translate.data.carried import Alpha, Carried, carried_of
from translate.data.headers import DEFAULT_LIMITS, Limits
from translate.data.pictures import (
    Decoded,
    decode,
    labels_of,
    labels_within,
    pixels_of,
    probe_bytes,
    read_bytes,
)
from translate.errors import PictureError
from translate.runtime.codec import Pixels

MAX_PIXELS: Final = 200_000_000
"""What a picture that is translated may have, unless the user says otherwise (training: 40 million)."""

_MAX_SIDE_PX: Final = 65_535
_BYTES_OF_PIXEL: Final = 8


def limits_for(max_pixels: int) -> Limits:
    """The limits for pictures that are translated: as long as a JPEG can be, and up to 16-bit RGBA as it is.

    Raises ConfigurationError where so many pixels cannot be had.
    """
    max_bytes = max(DEFAULT_LIMITS.max_bytes, _BYTES_OF_PIXEL * max_pixels)
    return Limits(max_pixels=max_pixels, max_side_px=_MAX_SIDE_PX, max_bytes=max_bytes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What a model takes at once, by its ports: decoded, all of one size; and what the results keep of the first."""

    pixels: Mapping[str, Pixels]
    carried: Carried

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width."""
        height, width = next(iter(self.pixels.values())).shape[:2]
        return height, width


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads samples for the model of a card, by the rules of `translate.data.pictures` and `translate.data.carried`."""

    card: Card
    limits: Limits
    alpha: Alpha

    def open(self, paths: Sequence[Path]) -> "Opened":
        """The bytes of one sample's files, one a port. Raises PictureError for a file that is no picture."""
        contents = tuple(read_bytes(path, self.limits) for path in paths)
        pairs = zip(paths, contents, strict=True)
        headers = [probe_bytes(content, str(path), self.limits) for path, content in pairs]
        pixels = sum(header.width_px * header.height_px for header in headers)
        return Opened(reader=self, paths=tuple(paths), contents=contents, pixels=pixels)

    def read(self, paths: Sequence[Path]) -> Sample:
        """One sample. Raises PictureError for a file that is refused, or where sizes differ."""
        return self.open(paths).decoded()


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The bytes of one sample's files; `pixels` is what their headers say there are in all."""

    reader: Reader
    paths: tuple[Path, ...]
    contents: tuple[bytes, ...]
    pixels: int

    def decoded(self) -> Sample:
        """Decode them. Raises PictureError."""
        ports = self.reader.card.input_pictures
        pictures = [
            decode(content, str(path), self.reader.limits)
            for path, content in zip(self.paths, self.contents, strict=True)
        ]
        pixels = {port.name: _pixels(picture, port) for picture, port in zip(pictures, ports, strict=True)}
        if len({array.shape[:2] for array in pixels.values()}) > 1:
            words = ["the mask " if isinstance(port, Mask) else "" for port in ports]
            pairs = zip(words, pictures, strict=True)
            sizes = ", ".join(f"{word}{picture.name} is {_size(picture)}" for word, picture in pairs)
            raise PictureError("sizes_differ", f"The pictures of one sample must have one size: {sizes}")
        carried = _carried(pictures[0], ports[0], self.reader.alpha)
        for port in ports:
            if isinstance(port, Mask):
                carried = carried.opaque_where(pixels[port.name][..., 0] > 0)
        return Sample(pixels=pixels, carried=carried)


def _pixels(picture: Decoded, port: PicturePort) -> Pixels:
    if isinstance(port, LabelMap):
        return labels_within(labels_of(picture), port.classes, picture.name)
    if isinstance(port, Mask):
        return mask_of(picture)
    return pixels_of(picture, channels=port.channels)


def _carried(picture: Decoded, port: PicturePort, alpha: Alpha) -> Carried:
    return Carried() if isinstance(port, LabelMap) else carried_of(picture, channels=port.channels, alpha=alpha)


def _size(picture: Decoded) -> str:
    return f"{picture.image.width} x {picture.image.height}"
