"""What a visitor gave for a model's ports, and what the model takes for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.batch.reading import Sample
from pipelines.inpainting import Margins
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


def margins_of(*, left: int, right: int, top: int, bottom: int) -> Margins | None:
    """How far a picture grows at each side, in pixels; None where it does not.

    Raises:
        ConfigurationError: a side is not from 0 to 4096.
    """
    if not any((left, right, top, bottom)):
        return None
    if max(left, right, top, bottom) > _MOST_EXTENDED_PX:
        raise ConfigurationError(f"A picture can be extended by 0 to {_MOST_EXTENDED_PX} px at each side here")
    return Margins(left=left, right=right, top=top, bottom=bottom)


@dataclass(frozen=True, kw_only=True)
class GivenMask:
    """Which pixels to fill, by any of these.

    `painted` is an RGBA picture of any size, `file` one of the picture's own; what the picture grows by is filled too.
    """

    painted: Path | None = None
    file: Path | None = None
    margins: Margins | None = None


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
        return any(mask.margins is not None for mask in self.masks.values())

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
    grown = mask if given.margins is None else _grown(mask, given.margins, level=FILL)
    if not grown.any():
        raise ConfigurationError("Nothing is marked: paint over what is to be filled, or extend the picture")
    marked = replace(sample, carried=sample.carried.opaque_where(mask[..., 0] > 0))
    sample = marked if given.margins is None else _extended(sample, given.margins)
    return Sample(pixels={**sample.pixels, name: grown}, carried=sample.carried)


def _extended(sample: Sample, margins: Margins) -> Sample:
    """Every picture grown by its own edges; transparency would not fit any more."""
    pixels = {port: _grown(array, margins) for port, array in sample.pixels.items()}
    return Sample(pixels=pixels, carried=replace(sample.carried, alpha=None))


def _grown(pixels: NDArray[np.integer], around: Margins, *, level: int | None = None) -> NDArray[np.integer]:
    """H x W x C that has grown, by its own edge, or by a level."""
    widths = ((around.top, around.bottom), (around.left, around.right), (0, 0))[: pixels.ndim]
    if level is None:
        return np.pad(pixels, widths, mode="edge")
    return np.pad(pixels, widths, constant_values=level)


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
