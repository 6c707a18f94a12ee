"""Files that people, or enemies, may hand to the page: seeded, made by code, each with what must become of it.

The verdict is `accepted`, `refused`, or `either` where only survival is asked (damage that a format may not show).
"""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, PngImagePlugin
from seeded_defects import png, png_16_bit

Verdict = Literal["accepted", "refused", "either"]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Case:
    name: str
    content: bytes
    verdict: Verdict
    expected: np.ndarray | None = None
    """The upright RGB pixels, where they are known by other means."""

    tolerance: int = 0


def smooth(height: int = 24, width: int = 40) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 6, y * 10, 255 - x * 3 - y * 3], -1).astype(np.uint8)


def saved(pixels, file_format: str, **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def sound() -> dict[str, bytes]:
    """One of each kind that the page takes."""
    noisy = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
    return {
        "png": saved(noisy, "PNG"),
        "jpeg": saved(noisy, "JPEG"),
        "progressive": saved(noisy, "JPEG", progressive=True),
        "webp": saved(noisy, "WEBP", lossless=True),
        "lossy webp": saved(noisy, "WEBP"),
    }


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(content: bytes, extra: bytes) -> bytes:
    """A PNG with more chunks after its header."""
    return content[:33] + extra + content[33:]


def cut() -> Iterator[Case]:
    for kind, content in sound().items():
        for twelfth in range(12):
            yield Case(f"{kind} cut at {twelfth}/12", content[: len(content) * twelfth // 12], "refused")
        for length in (8, 20, 33):
            yield Case(f"{kind} of {length} bytes", content[:length], "refused")


def junk() -> Iterator[Case]:
    draw = random.Random(1)
    for name, content in {
        "empty": b"",
        "one byte": b"x",
        "zeros": bytes(5_000),
        "text": b"a picture, I promise",
        "html": b"<!DOCTYPE html><img src=x>",
        "only a signature": SIGNATURE,
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "PDF": b"%PDF-1.7\n",
        "zip": b"PK\x03\x04" + bytes(50),
        "photoshop": b"8BPS" + bytes(60),
        "fits": b"SIMPLE  =                    T",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
        "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
        "avif": b"\0\0\0\x1cftypavif" + bytes(40),
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(40),
        "wmf": b"\xd7\xcd\xc6\x9a" + bytes(40),
        "icc": bytes(36) + b"acsp" + bytes(90),
    }.items():
        yield Case(name, content, "refused")
    for index in range(10):
        yield Case(f"noise {index}", draw.randbytes(500), "refused")
    for file_format in (
        "GIF",
        "BMP",
        "TIFF",
        "ICO",
        "TGA",
        "PPM",
        "PCX",
        "SGI",
        "IM",
        "PDF",
        "EPS",
        "DDS",
        "MSP",
        "SPIDER",
    ):
        mode = {"MSP": "1", "SPIDER": "F"}.get(file_format, "RGB")
        yield Case(f"a real {file_format}", saved(Image.fromarray(smooth()).convert(mode), file_format), "refused")


def sizes() -> Iterator[Case]:
    wide = (0, 1, 65_535, 2**31 - 1, 2**31, 2**32 - 1)
    for width, height in [(w, h) for w in wide for h in wide if (w, h) != (1, 1)][:24]:
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        yield Case(
            f"states {width} x {height}",
            SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
            "refused",
        )
    for width, height in ((1, 1), (1, 16_384), (16_384, 1), (7, 13), (101, 1), (1, 97), (255, 257)):
        pixels = np.full((height, width, 3), 77, np.uint8)
        yield Case(f"{width} x {height}", saved(pixels, "PNG"), "accepted", pixels)
    yield Case("1 x 16385", saved(np.zeros((16_385, 1), np.uint8), "PNG"), "refused")


def bombs() -> Iterator[Case]:
    for megapixels in (40.1, 88, 177, 900):
        side = int((megapixels * 1e6) ** 0.5) + 1
        for kind, (bits, colours) in {"1-bit": (1, 0), "grey": (8, 0), "RGB": (8, 2), "RGBA16": (16, 6)}.items():
            rows = b"\0" * 1_000_000
            yield Case(f"{kind} bomb of {megapixels} MP", png(side, side, bits, colours, rows), "refused")
    side = 6_316
    yield Case("1-bit of 39.9 MP", png(side, side, 1, 0, bytes(((side + 7) // 8 + 1) * side)), "accepted")
    yield Case("grey that says more than it has", png(5_000, 5_000, 8, 0, bytes(1_000)), "refused")
    small = saved(smooth(), "PNG")
    text = b"k\0\0" + zlib.compress(bytes(64 << 20))
    yield Case("zTXt of 64 MiB", with_chunks(small, chunk(b"zTXt", text)), "either")
    yield Case("iCCP of 64 MiB", with_chunks(small, chunk(b"iCCP", text)), "either")
    yield Case("10,000 texts", with_chunks(small, chunk(b"tEXt", b"k\0v") * 10_000), "either")
    yield Case("1 MB of EXIF", with_chunks(small, chunk(b"eXIf", b"MM\0*" + b"\xff" * 1_000_000)), "either")
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8)
    yield Case("EXIF that points at itself", with_chunks(small, chunk(b"eXIf", loop)), "either")


def animations() -> Iterator[Case]:
    for count in (2, 60):
        frames = [Image.fromarray(np.full((8, 8, 3), 40 * index % 256, np.uint8)) for index in range(count)]
        for file_format in ("GIF", "PNG", "WEBP"):
            content = saved(frames[0], file_format, save_all=True, append_images=frames[1:])
            yield Case(f"{file_format} of {count} frames", content, "refused")


def meanings() -> Iterator[Case]:
    """What is accepted, and what it must mean."""
    from test_pictures import UPRIGHT

    stored = smooth()
    for orientation in (*range(1, 9), 0, 9, 65_535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        upright = np.ascontiguousarray(UPRIGHT.get(orientation, UPRIGHT[1])(stored))
        yield Case(f"PNG of orientation {orientation}", saved(stored, "PNG", exif=exif), "accepted", upright)
        yield Case(
            f"WebP of orientation {orientation}", saved(stored, "WEBP", lossless=True, exif=exif), "accepted", upright
        )
        jpeg = saved(stored, "JPEG", quality=100, subsampling=0, exif=exif)
        yield Case(f"JPEG of orientation {orientation}", jpeg, "accepted", upright, 3)
    ramp = np.linspace(0, 65_535, 24 * 40).reshape(24, 40).astype(np.uint16)
    grey = np.repeat(np.round(ramp / 257).astype(np.uint8)[..., None], 3, 2)
    yield Case("16-bit grey", png_16_bit(ramp), "accepted", grey)
    yield Case("16-bit RGB", png_16_bit(np.stack([ramp] * 3, -1)), "accepted", grey, 1)
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    on_white = np.round((stored * (alpha[..., None] / 255.0)) + 255 - alpha[..., None]).astype(np.uint8)
    yield Case("RGBA", saved(np.dstack([stored, alpha]), "PNG"), "accepted", on_white, 1)
    yield Case(
        "WebP with alpha", saved(np.dstack([stored, alpha]), "WEBP", lossless=True, exact=True), "accepted", on_white, 1
    )
    cmyk = 255 - np.dstack([stored, np.full((24, 40), 255, np.uint8)])
    yield Case("CMYK", saved(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=100, subsampling=0), "accepted", stored, 6)
    for mode in ("1", "L", "LA", "P"):
        yield Case(f"PNG of mode {mode}", saved(Image.fromarray(stored).convert(mode), "PNG"), "accepted")
    see_through = Image.fromarray(stored).convert("P")
    yield Case("palette with a transparent colour", saved(see_through, "PNG", transparency=0), "accepted")
    yield Case(
        "interlaced by another's hand", saved(stored, "PNG", pnginfo=PngImagePlugin.PngInfo()), "accepted", stored
    )
    yield Case("with a zip behind it", saved(stored, "PNG") + b"PK\x03\x04" + bytes(99), "accepted", stored)
    yield Case("a JPEG with a page behind it", saved(stored, "JPEG") + b"<script>1</script>", "accepted")


def damaged() -> Iterator[Case]:
    draw = random.Random(2)
    for kind, content in sound().items():
        for index in range(40):
            spoilt = bytearray(content)
            for _ in range(1 + index % 5):
                spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
            if index % 4 == 3:
                at = draw.randrange(len(spoilt))
                spoilt[at : at + 40] = bytes(len(spoilt[at : at + 40]))
            yield Case(f"{kind} with damage {index}", bytes(spoilt), "either")


def corpus() -> list[Case]:
    parts = (cut, junk, sizes, bombs, animations, meanings, damaged)
    return [case for part in parts for case in part()]
