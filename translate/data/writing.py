"""Pictures written whole or not at all."""

import io
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from translate.data.headers import EXTENSIONS
from translate.errors import ConfigurationError
from translate.storage.atomic import write_atomically

_SAVE_OPTIONS: Final[dict[str, dict[str, bool | int | str]]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True, "exact": True},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def write_picture(array: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], path: Path) -> None:
    """Write a picture whole or not at all: to a file beside it, flushed to disk, then renamed.

    Args:
        array: uint8 H x W, H x W x 1, 3 or 4; or uint16 H x W.
        path: Its extension says the format; all are lossless but JPEG (quality 95, no chroma subsampling).

    Raises:
        ConfigurationError: For an extension that is not written.
        StorageError: Where the disk does not take it; what was at `path` is still there.
    """
    file_format = EXTENSIONS.get(path.suffix.lower())
    if file_format is None:
        raise ConfigurationError(f"{path}: cannot write {path.suffix!r}; use one of {', '.join(EXTENSIONS)}")
    image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)
    if file_format == "JPEG" and image.mode == "RGBA":
        raise ConfigurationError(f"{path}: JPEG has no transparency; write a PNG")
    buffer = io.BytesIO()
    image.save(buffer, file_format, **_SAVE_OPTIONS.get(file_format, {}))
    write_atomically(path, buffer.getvalue())
