"""What a picture's header says, and what it may say at most, before any pixel is decoded."""

from dataclasses import dataclass
from typing import Final

from PIL import Image, TiffImagePlugin

from translate.data.refusals import REMEDY, refuse
from translate.errors import ConfigurationError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
EXTENSIONS: Final = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
HIGHEST_MAX_PIXELS: Final = 1_000_000_000
"""What `Limits` may allow at most: such a picture takes 4 GB while it is decoded."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a picture may have at most; a file beyond is refused before it is decoded."""

    max_pixels: int = 40_000_000
    max_side_px: int = 16_384
    max_bytes: int = 200_000_000
    formats: tuple[str, ...] = FORMATS

    def __post_init__(self) -> None:
        if not 0 < self.max_pixels <= HIGHEST_MAX_PIXELS:
            raise ConfigurationError(f"max_pixels is {self.max_pixels}; it can be 1 to {HIGHEST_MAX_PIXELS}")
        if unknown := set(self.formats) - set(FORMATS):
            raise ConfigurationError(f"formats has {sorted(unknown)}; what can be read is {', '.join(FORMATS)}")


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a header says. Width and height are those of the upright picture, in pixels.

    `mode` is Pillow's, `bits` those of one channel in the file, `orientation` EXIF's 1 to 8 (1: stored upright).
    """

    format: str
    width_px: int
    height_px: int
    mode: str
    bits: int
    has_alpha: bool
    orientation: int
    several_frames: bool
    has_profile: bool

    @property
    def is_grey(self) -> bool:
        """Whether the file has no colour channels (a palette counts as colour)."""
        return self.mode in ("1", "L", "LA", "La", "I", "F") or self.mode.startswith("I;16")


def check_limits(facts: Probe, name: str, limits: Limits) -> None:
    """Raises PictureError (`damaged`, `too_many_pixels`, `several_frames`) for what is not to be decoded."""
    width, height = facts.width_px, facts.height_px
    if width < 1 or height < 1:
        raise refuse("damaged", name, f"states a size of {width} x {height}: {REMEDY}")
    if width * height > limits.max_pixels or max(width, height) > limits.max_side_px:
        raise refuse(
            "too_many_pixels",
            name,
            f"is {width} x {height}; the limits are max_pixels {limits.max_pixels} "
            f"and max_side_px {limits.max_side_px}: shrink it or cut it up",
        )
    if facts.several_frames:
        raise refuse("several_frames", name, "has several frames or pages: save the one that is meant on its own")


def probe_of(image: Image.Image, data: bytes) -> Probe:
    """The header of an image that was opened from `data` and not loaded yet."""
    width, height = image.size
    orientation = _orientation(image)
    if orientation >= 5 and image.format != "TIFF":  # Pillow gives a TIFF's size upright already
        width, height = height, width
    return Probe(
        format="JPEG" if image.format == "MPO" else str(image.format),
        width_px=width,
        height_px=height,
        mode=image.mode,
        bits=_bits(image, data),
        has_alpha=image.has_transparency_data,
        orientation=orientation,
        several_frames=_has_several_frames(image),
        has_profile=bool(image.info.get("icc_profile")),
    )


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG" and "exif" not in image.info:  # Pillow would decode all pixels in search of it
        return 1
    value = image.getexif().get(0x0112, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _bits(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return data[24]
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(image.tag_v2.get(258, (1,)))
    return 1 if image.mode == "1" else 8


def _has_several_frames(image: Image.Image) -> bool:
    if image.format == "MPO":
        return False
    if image.format != "TIFF":
        return int(getattr(image, "n_frames", 1)) > 1
    try:  # counting all pages of a hostile file takes long; a second one is enough
        image.seek(1)
    except EOFError:
        return False
    finally:
        image.seek(0)
    return True
