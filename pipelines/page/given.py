"""What a visitor gave for a model's ports, and what the model takes for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.batch.reading import Sample
from translate.card import Card, Mask, Picture
from translate.errors import ConfigurationError, PictureError

FILL = 255
"""The level of a mask's pixels that are to be filled."""

_PAINTED_FROM = 64
"""Of a layer's alpha: the brush lets the picture shine through, and half of its soft edge counts as painted."""

_MOST_EXTENDED_PX = 4096


class Reads(Protocol):
    """Decodes uploads; `pipelines.page.serving.Intake` does, in a child process."""

    def read(self, card: Card, paths: Sequence[str | Path]) -> Sample:
        """One file for each port of a card. Raises PictureError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Extension:
    """How many pixels a picture is to grow at each side."""

    left_px: int = 0
    right_px: int = 0
    top_px: int = 0
    bottom_px: int = 0

    def __post_init__(self) -> None:
        """Refuse what no picture grows by."""
        if any(not 0 <= side <= _MOST_EXTENDED_PX for side in self._sides):
            raise ConfigurationError(f"A picture can be extended by 0 to {_MOST_EXTENDED_PX} px at each side")

    @property
    def _sides(self) -> tuple[int, int, int, int]:
        return self.left_px, self.right_px, self.top_px, self.bottom_px

    def __bool__(self) -> bool:
        """Whether it grows at all."""
        return any(self._sides)

    def of(self, pixels: NDArray[np.integer], *, level: int | None = None) -> NDArray[np.integer]:
        """H x W x C that has grown, by its own edge, or by a level."""
        widths = ((self.top_px, self.bottom_px), (self.left_px, self.right_px), (0, 0))[: pixels.ndim]
        if level is None:
            return np.pad(pixels, widths, mode="edge")
        return np.pad(pixels, widths, constant_values=level)


@dataclass(frozen=True, kw_only=True)
class GivenMask:
    """Which pixels to fill, by any of these.

    `painted` is an RGBA picture of any size, `file` one of the picture's own; what the picture grows by is filled too.
    """

    painted: Path | None = None
    file: Path | None = None
    extension: Extension = Extension()


@dataclass(frozen=True, kw_only=True)
class GivenPictures:
    """The files of picture ports by the ports' names, and masks by theirs."""

    files: Mapping[str, Path]
    masks: Mapping[str, GivenMask]

    @property
    def first(self) -> Path:
        """The upload that results are called after. Raises ConfigurationError where there is none."""
        for path in self.files.values():
            return path
        raise ConfigurationError(CHOOSE)

    @property
    def is_extended(self) -> bool:
        """Whether the picture grows."""
        return any(mask.extension for mask in self.masks.values())

    def sample(self, card: Card, reads: Reads) -> Sample:
        """What the model takes: the original uploads, and masks in their size.

        Raises:
            ConfigurationError: something is missing.
            PictureError: a file is refused.
        """
        ports = [port for port in card.input_pictures if port.name not in self.masks]
        missing = [port.name for port in ports if port.name not in self.files]
        if missing:
            raise ConfigurationError(f"Choose a picture first ({', '.join(missing)})" if len(ports) > 1 else CHOOSE)
        pictures = reads.read(replace(card, inputs=tuple(ports)), [self.files[port.name] for port in ports])
        for name, mask in self.masks.items():
            pictures = _with_mask(pictures, name, mask, reads)
        return pictures


CHOOSE = "Choose a picture first"


def _with_mask(sample: Sample, name: str, given: GivenMask, reads: Reads) -> Sample:
    height, width = sample.size_px
    mask = np.zeros((height, width, 1), np.uint8)
    if given.painted is not None:
        mask |= mask_of_layer(_read(Picture(name="layer", channels=4), given.painted, reads), height, width)
    if given.file is not None:
        mask |= _mask_of_file(given.file, height, width, reads)
    grown = given.extension.of(mask, level=FILL)
    if not grown.any():
        raise ConfigurationError("Nothing is marked: paint over what is to be filled, or extend the picture")
    pixels = {port: given.extension.of(array) for port, array in sample.pixels.items()}
    carried = replace(sample.carried, alpha=None) if given.extension else sample.carried.opaque_where(mask[..., 0] > 0)
    return Sample(pixels={**pixels, name: grown}, carried=carried)


def _mask_of_file(path: Path, height: int, width: int, reads: Reads) -> NDArray[np.integer]:
    """Height x width x 1. Raises PictureError for one of another size, as the command line does."""
    mask = _read(Mask(name="mask"), path, reads)
    if mask.shape[:2] != (height, width):
        raise PictureError(
            "sizes_differ",
            f"{path.name} is {mask.shape[1]} x {mask.shape[0]} px and the picture {width} x {height} px: a mask must "
            "have the picture's size",
        )
    return mask


def _read(port: Picture | Mask, path: Path, reads: Reads) -> NDArray[np.integer]:
    card = Card(task="translate", method="none", name="mask", inputs=(port,), outputs=(port,))
    return reads.read(card, [path]).pixels[port.name]


def mask_of_layer(layer: NDArray[np.integer], height: int, width: int) -> NDArray[np.integer]:
    """Height x width x 1, FILL where an editor's layer (h x w x 4, of whatever size) was painted."""
    plane = layer[..., 3]
    if plane.shape != (height, width):
        plane = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.NEAREST))
    return np.where(plane[..., np.newaxis] >= _PAINTED_FROM, FILL, 0).astype(np.uint8)
