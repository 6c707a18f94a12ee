"""Damage that decoders pass over in silence.

PNG carries a checksum for every chunk, which Pillow does not look at for pixels: all of them are checked here. JPEG has
none: its coded pixels are looked at in `jpeg_integrity`. Lossy WebP, uncompressed TIFF and BMP have no redundancy at
all: damage in their pixels that keeps their length cannot be told from a picture.
"""

import struct
import zlib

from translate.data.doctor.jpeg_integrity import jpeg_damage
from translate.data.pictures import Decoded
from translate.data.refusals import REMEDY, refuse


def check_integrity(data: bytes, decoded: Decoded) -> None:
    """Raises PictureError (`damaged`) where a file that was decoded without complaint is damaged all the same."""
    damage = None
    if decoded.probe.format == "PNG":
        damage = png_damage(data)
    elif decoded.probe.format == "JPEG":
        damage = jpeg_damage(data)
    if damage:
        raise refuse("damaged", decoded.name, f"the {decoded.probe.format} is damaged ({damage}): {REMEDY}")


def png_damage(data: bytes) -> str | None:
    """The first chunk whose checksum is wrong, in words; None for a sound PNG."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return "its last chunk is cut"
        if zlib.crc32(memoryview(data)[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            return f"the checksum of its chunk {kind.decode('ascii', 'replace')} at byte {position} is wrong"
        if kind == b"IEND":
            return None
        position = end + 4
    return "its end is missing"
