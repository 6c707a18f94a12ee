"""Pictures written whole or not at all."""

import io
from pathlib import Path
from typing import Any, Final

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


def write_picture(array: npt.NDArray[np.integer], path: Path, *, profile: bytes | None = None) -> None:
    """Write a picture whole or not at all: to a file beside it, flushed to disk, then renamed.

    Args:
        array: uint8 H x W, H x W x 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA); or uint16 H x W.
        path: Its extension says the format; all are lossless but JPEG (quality 95, no chroma subsampling).
        profile: An ICC profile to go with it (BMP has no place for one).

    Raises:
        ConfigurationError: For an extension that is not written, or a format that cannot hold the picture.
        StorageError: Where the disk does not take it; what was at `path` is still there.
    """
    file_format = EXTENSIONS.get(path.suffix.lower())
    if file_format is None:
        raise ConfigurationError(f"{path}: cannot write {path.suffix!r}; use one of {', '.join(EXTENSIONS)}")
    image = Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)
    if file_format == "JPEG" and image.mode in ("LA", "RGBA"):
        raise ConfigurationError(f"{path}: JPEG has no transparency; write a PNG")
    if file_format in ("JPEG", "WEBP") and image.mode == "I;16":
        raise ConfigurationError(f"{path}: {file_format} has no 16 bits; write a PNG")
    options: dict[str, Any] = dict(_SAVE_OPTIONS.get(file_format, {}))
    if profile is not None:
        options["icc_profile"] = profile
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    write_atomically(path, buffer.getvalue())
