"""Results on disk: what a picture keeps is put on, and each file is written whole or not at all."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from translate.card import Card, LabelMap, PicturePort
from translate.data.carried import Carried
from translate.data.headers import EXTENSIONS
from translate.data.writing import write_picture
from translate.errors import ConfigurationError, PictureError, StorageError
from translate.runtime.codec import Made
from translate.storage.atomic import room_for

Format = Literal["png", "webp", "jpg", "tiff"]
"""All but jpg are lossless."""

_WITH_ALPHA: Final = ("PNG", "WEBP", "TIFF")
_UINT8_CLASSES: Final = 256


def require_writable(card: Card, ending: str) -> None:
    """Make sure that every output of a model can be written so. Raises ConfigurationError that names the formats."""
    for port in card.output_pictures:
        good = _formats_for(port)
        if EXTENSIONS.get(ending.lower()) not in good:
            raise ConfigurationError(
                f"The output {port.name!r} ({port.kind}, {port.channels} channels) cannot be kept in "
                f"{ending or 'a file without an ending'}: use one of {', '.join(good)}"
            )


def _formats_for(port: PicturePort) -> tuple[str, ...]:
    if isinstance(port, LabelMap):  # JPEG would change the labels
        return ("PNG", "TIFF", "WEBP", "BMP") if port.classes <= _UINT8_CLASSES else ("PNG", "TIFF")
    return _WITH_ALPHA if port.channels == 4 else ("PNG", "WEBP", "TIFF", "JPEG", "BMP")


@dataclass(frozen=True, kw_only=True)
class Results:
    """Writes the outputs of the model of a card."""

    card: Card

    def write(self, outputs: Mapping[str, Made], carried: Carried, targets: tuple[Path, ...]) -> None:
        """Write all outputs of one sample, the first one last: where it is there, all are.

        Raises:
            PictureError: `name_too_long`, where the disk takes less than others do.
            StorageError: the disk does not take it.
        """
        try:
            with room_for(targets[0], 0):
                targets[0].parent.mkdir(parents=True, exist_ok=True)
            for port, target in reversed([*zip(self.card.output_pictures, targets, strict=True)]):
                self._write(outputs[port.name], port, carried, target)
        except StorageError as problem:
            if isinstance(problem.__cause__, OSError) and problem.__cause__.errno == errno.ENAMETOOLONG:
                raise PictureError("name_too_long", f"{targets[0]}: the disk takes no name as long as that") from None
            raise

    def _write(self, made: Made, port: PicturePort, carried: Carried, target: Path) -> None:
        if isinstance(port, LabelMap):
            write_picture(made, target)
            return
        picture: npt.NDArray[np.integer] = made
        if EXTENSIONS.get(target.suffix.lower()) in _WITH_ALPHA:
            picture = carried.with_alpha(made, scale=self.card.scale)
        write_picture(picture, target, profile=carried.profile_for(port.channels))
