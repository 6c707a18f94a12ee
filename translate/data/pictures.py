"""The only place that opens pictures, and the rules by which it does.

**Formats**: JPEG, PNG, WebP, TIFF and BMP, told by content, never by name. A file is read once, into memory;
no more than `Limits` allow is decoded, and size and number of frames are looked at before any pixel is.

**Upright**: EXIF (or XMP) orientation is applied to every format alike; every size given here is that of the
upright picture.

**Levels**: everything becomes 8-bit. 16-bit grey is *scaled* (x / 257, rounded), never clipped, in either byte order;
12-bit TIFF likewise (x * 255 / 4095). 16-bit RGB is opened by Pillow as its upper bytes (less than one level of 255
off). Pixels of 32 bits and signed ones say nowhere what white is and are refused. 1-bit is 0 and 255.

**Transparency** (alpha, or a transparent palette entry or colour): asked for 4 channels, it is kept; asked for 1 or 3,
the picture is composited on white, level = (colour * alpha + 255 * (255 - alpha)) / 255, rounded. Premultiplied modes
are first divided by alpha. A picture without transparency has alpha 255.

**Colour**: CMYK goes through its embedded ICC profile to sRGB, or by Pillow's plain formula where it has none
that can be used. RGB and grey profiles are not applied: numbers are taken as they are. Colour becomes grey by
ITU-R 601 luma.

**Frames**: an animation or several pages are refused. A JPEG of several pictures (MPO: cameras add previews so) is its
first.

**Label maps**: the palette index or grey value is the class, and is never colour converted (1-, 2- and 4-bit grey
counts 0, 1, 2 ..., as stored). Lossy files (JPEG, lossy WebP, TIFF with JPEG inside) are refused, and so is colour.

**Damage**: whatever is wrong with a file is a PictureError with a reason; a cut file is never filled up with grey.

What of all that is put on a translation (a colour profile, transparency) is in `translate.data.carried`.
"""

import io
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from translate.data.colour import Depth, Pixels, to_pixels
from translate.data.decoded import Decoded, labels_of, labels_within
from translate.data.headers import (
    DEFAULT_LIMITS,
    EXTENSIONS,
    FORMATS,
    HIGHEST_MAX_PIXELS,
    Limits,
    Probe,
    check_limits,
    probe_of,
)
from translate.data.items import Half, Source
from translate.data.pillow import PILLOW_MAX_PIXELS, pillow_takes
from translate.data.refusals import REMEDY, refuse, undecodable, unidentified
from translate.data.writing import write_picture
from translate.errors import ConfigurationError, PixturnError

__all__ = [
    "DEFAULT_LIMITS",
    "EXTENSIONS",
    "FORMATS",
    "Decoded",
    "Limits",
    "Pixels",
    "Probe",
    "decode",
    "labels_of",
    "labels_within",
    "pixels_from_image",
    "pixels_of",
    "probe",
    "probe_bytes",
    "read_bytes",
    "read_label_map",
    "read_picture",
    "write_picture",
]


def read_picture(source: Source | Path, *, channels: int = 3, limits: Limits = DEFAULT_LIMITS) -> Pixels:
    """Read a picture by the rules of this module.

    Args:
        source: A file, or a half of one.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        limits: What a file may have at most.

    Returns:
        uint8, H x W x channels, 0 to 255.

    Raises:
        PictureError: Whatever is wrong with the file; `reason` says what in a word.
    """
    path, half = _parts(source)
    return pixels_of(decode(read_bytes(path, limits), str(path), limits), channels=channels, half=half)


def pixels_from_image(image: Image.Image, *, channels: int = 3) -> Pixels:
    """The pixels of a picture that is open already, by the same rules, orientation included.

    Raises:
        PictureError: `unsupported_mode` for pixels whose white is not known.
    """
    bits = 16 if image.mode.startswith("I;16") or image.mode == "I" else 8
    upright = ImageOps.exif_transpose(image)
    upright.format = image.format
    with _refusals("the picture"):
        return to_pixels(upright, channels, Depth(bits=bits), "the picture")


def read_label_map(source: Source | Path, *, classes: int, limits: Limits = DEFAULT_LIMITS) -> npt.NDArray[np.integer]:
    """Read a label map: the class of every pixel, as stored.

    Args:
        source: A file, or a half of one.
        classes: How many classes there are; values run from 0 to classes - 1.
        limits: What a file may have at most.

    Returns:
        uint8 (up to 256 classes) or uint16, H x W.

    Raises:
        PictureError: `label_out_of_range`, `lossy_label_map`, `unsupported_mode` (colour), or as `read_picture`.
    """
    path, half = _parts(source)
    return labels_within(labels_of(decode(read_bytes(path, limits), str(path), limits), half=half), classes, str(path))


def probe(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Probe:
    """What the header of a file says; no pixel is decoded. Limits on size and frames are not applied.

    Raises:
        PictureError: For a file that cannot be opened, or whose header is not that of a picture.
    """
    return probe_bytes(read_bytes(path, limits), str(path), limits)


def probe_bytes(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> Probe:
    """As `probe`, for the bytes of a file that was read already; `name` goes into the message."""
    with _refusals(name), _opened(data, name, limits) as image:
        return probe_of(image, data)


def read_bytes(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a file that could be a picture.

    Raises:
        PictureError: `unreadable`, `zero_bytes` or `too_many_bytes`.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait for ever
            raise refuse("unreadable", str(path), "is a folder, a pipe or a device, not a file: remove or rename it")
        if status.st_size > limits.max_bytes:
            raise refuse("too_many_bytes", str(path), f"has {status.st_size} bytes; the limit is {limits.max_bytes}")
        data = path.read_bytes()
    except OSError as problem:
        why = problem.strerror or problem
        raise refuse(
            "unreadable", str(path), f"cannot be read ({why}): check that it is there and may be read"
        ) from problem
    if not data.strip(b"\x00"):
        what = f"holds nothing but {len(data)} zero bytes" if data else "is empty"
        raise refuse("zero_bytes", str(path), f"{what}: {REMEDY}")
    return data


def decode(data: bytes, name: str, limits: Limits = DEFAULT_LIMITS) -> Decoded:
    """Decode the bytes of a file: loaded, upright, within the limits.

    Raises:
        PictureError: Whatever is wrong with them; `name` goes into the message.
    """
    with _refusals(name):
        image = _opened(data, name, limits)
        facts = probe_of(image, data)
        check_limits(facts, name, limits)
        try:
            with pillow_takes(facts.width_px * facts.height_px):
                image.load()
        except MemoryError:
            raise
        except Exception as problem:
            raise undecodable(data, image, name, problem) from problem
        depth = Depth(bits=facts.bits, zero_is_white=_zero_is_white(image))
        lossy = _is_lossy(image, data)
        ImageOps.exif_transpose(image, in_place=True)  # a copy of a large picture is another 4 bytes a pixel
        return Decoded(name=name, image=image, probe=facts, depth=depth, lossy=lossy)


def pixels_of(decoded: Decoded, *, channels: int = 3, half: Half = "whole") -> Pixels:
    """The colours of a decoded picture, uint8, H x W x channels. Raises PictureError as `read_picture`."""
    with _refusals(decoded.name):
        return to_pixels(decoded.half(half), channels, decoded.depth, decoded.name)


def _parts(source: Source | Path) -> tuple[Path, Half]:
    return (source, "whole") if isinstance(source, Path) else (source.path, source.half)


@contextmanager
def _refusals(name: str) -> Generator[None]:
    """Pillow raises nearly anything on hostile bytes; all of it becomes one kind of error."""
    try:
        yield
    except PixturnError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        message = f"has too many pixels ({problem}): shrink it or cut it up"
        raise refuse("too_many_pixels", name, message) from problem
    except MemoryError as problem:
        raise refuse("out_of_memory", name, "takes more memory than there is: shrink it or cut it up") from problem
    except Exception as problem:
        raise refuse(
            "damaged", name, f"could not be decoded ({type(problem).__name__}: {problem}): {REMEDY}"
        ) from problem


def _opened(data: bytes, name: str, limits: Limits) -> Image.Image:
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ConfigurationError("PIL.ImageFile.LOAD_TRUNCATED_IMAGES fills cut pictures with grey: turn it off")
    try:
        # Where more is allowed than by Pillow, all that is too large is opened: `check_limits` says what it is.
        with pillow_takes(HIGHEST_MAX_PIXELS if limits.max_pixels > PILLOW_MAX_PIXELS else limits.max_pixels):
            return Image.open(io.BytesIO(data), formats=limits.formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise
    except Exception as problem:
        raise unidentified(data, name) from problem


def _zero_is_white(image: Image.Image) -> bool:
    return isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(262) == 0


def _is_lossy(image: Image.Image, data: bytes) -> bool:
    lossy_webp = image.format == "WEBP" and b"VP8 " in data[:4096]
    return (
        image.format in ("JPEG", "MPO") or lossy_webp or image.info.get("compression") in ("jpeg", "tiff_jpeg", "webp")
    )
