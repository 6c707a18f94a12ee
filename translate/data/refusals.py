"""Why bytes are not a readable picture: told from the bytes, since Pillow's words differ with the format."""

import struct
from typing import Final, Literal

from PIL import Image, TiffImagePlugin

from translate.errors import PictureError

Reason = Literal[
    "zero_bytes",
    "not_a_picture",
    "wrong_format",
    "truncated",
    "damaged",
    "too_many_bytes",
    "too_many_pixels",
    "several_frames",
    "unreadable",
    "unsupported_mode",
    "odd_width",
    "label_out_of_range",
    "lossy_label_map",
    "out_of_memory",
]

OF_THE_MOMENT: Final[frozenset[Reason]] = frozenset({"unreadable", "out_of_memory"})
"""Refusals that another try may not meet; all others follow from the content of the file."""

REMEDY = "copy it again from where it came, or remove it"

_OURS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"RIFF": "WEBP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
}
_FOREIGN = {
    b"GIF8": "GIF",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"%!PS": "PostScript",
    b"SIMPLE": "FITS",
    b"\x00\x00\x01\x00": "icon",
    b"\x00\x00\x00\x0cjP": "JPEG 2000",
    b"<svg": "SVG",
    b"<?xml": "XML or SVG",
    b"<!DOC": "HTML",
    b"<html": "HTML",
    b"PK\x03\x04": "ZIP",
}


def refuse(reason: Reason, name: str, message: str) -> PictureError:
    """The error to raise for the file `name`; the message goes on after the name."""
    return PictureError(reason, f"{name}: {message}")


def format_by_content(data: bytes) -> str | None:
    """JPEG, PNG, WEBP, TIFF or BMP, as the first bytes say; None for anything else."""
    return next((name for magic, name in _OURS.items() if data.startswith(magic)), None)


def unidentified(data: bytes, name: str) -> PictureError:
    """The error for bytes whose header Pillow did not recognise as one of our formats."""
    ours = format_by_content(data)
    if ours and is_cut_short(data, ours):
        return refuse("truncated", name, f"the {ours} ends too early, in its header: {REMEDY}")
    if ours and ours != "BMP":
        return refuse("damaged", name, f"the header of the {ours} is damaged: {REMEDY}")
    foreign = _foreign_format(data)
    if foreign:
        return refuse("wrong_format", name, f"its content is {foreign}: save it as PNG, JPEG, WebP, TIFF or BMP")
    return refuse("not_a_picture", name, "this is not a picture: remove it, or save it as PNG, JPEG, WebP, TIFF or BMP")


def is_cut_short(data: bytes, file_format: str) -> bool:
    """Whether the file states more content than it has (PNG, JPEG, WebP, BMP; TIFF states it in its tags)."""
    if file_format == "PNG":
        return b"IEND" not in data
    if file_format == "JPEG":
        return not data.rstrip(b"\x00").endswith(b"\xff\xd9")
    if file_format == "WEBP":
        return len(data) < 12 or struct.unpack_from("<I", data, 4)[0] + 8 > len(data)
    if file_format == "BMP":
        return len(data) < 26 or struct.unpack_from("<I", data, 2)[0] > len(data)
    return len(data) < 8


def undecodable(data: bytes, image: Image.Image, name: str, problem: Exception) -> PictureError:
    """The error for a picture with a sound header whose pixels could not be read."""
    file_format = image.format or "picture"
    cut = "truncated" in str(problem) or is_cut_short(data, file_format) or _tiff_is_cut_short(image, len(data))
    if cut:
        return refuse("truncated", name, f"the {file_format} ends too early: {REMEDY}")
    return refuse("damaged", name, f"the {file_format} is damaged ({problem}): {REMEDY}")


def _foreign_format(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":
        return f"{data[8:12].decode('ascii', 'replace')} (HEIF, AVIF or video)"
    return next((name for magic, name in _FOREIGN.items() if data.startswith(magic)), None)


def _tiff_is_cut_short(image: Image.Image, length: int) -> bool:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return False
    for offsets, counts in ((273, 279), (324, 325)):
        starts, sizes = image.tag_v2.get(offsets, ()), image.tag_v2.get(counts, ())
        if any(start + size > length for start, size in zip(starts, sizes, strict=False)):
            return True
    return False
