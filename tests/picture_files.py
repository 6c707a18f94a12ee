"""Pictures saved for tests of reading them, and the reason of a refusal."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from translate.errors import PictureError

LOSSLESS = {"WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 100, "subsampling": 0}}
RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)


def smooth(height: int = 24, width: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 6, y * 10, 255 - x * 3 - y * 3], -1).astype(np.uint8)


def save(path: Path, image: Image.Image | np.ndarray, file_format: str, **options) -> Path:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path, file_format, **LOSSLESS.get(file_format, {}), **options)
    return path


def refusal(call, *arguments, **options) -> str:
    with pytest.raises(PictureError) as caught:
        call(*arguments, **options)
    assert str(caught.value)
    return caught.value.reason


def strange_press() -> bytes:
    """An ICC 2.4 profile (ICC.1:2001-04), CMYK -> Lab by a lut8 table: L* is 100 for no ink, 0 with black, else 50."""
    ramp = bytes(range(256))
    black_last = bytes([128, 128, 128, 0, 128, 128])
    grid = bytes([255, 128, 128, 0, 128, 128]) + black_last * 7
    matrix = b"".join(struct.pack(">i", 65536 if i in (0, 4, 8) else 0) for i in range(9))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + ramp * 4 + grid + ramp * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    text = b"strange press\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(8 + 3 + 67)
    copying = b"text\0\0\0\0nobody\0"
    tags = {b"A2B0": lut, b"wtpt": white, b"desc": description, b"cprt": copying}
    position, table, bodies = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += name + struct.pack(">II", position + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    size = position + len(bodies)
    header = struct.pack(
        ">I4sI4s4s4s12s4s", size, b"\0\0\0\0", 0x02400000, b"prtr", b"CMYK", b"Lab ", bytes(12), b"acsp"
    )
    header += bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies
