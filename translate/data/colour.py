"""From every mode that Pillow may open to 8-bit grey, RGB or RGBA: the rules of `translate.data.pictures`."""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from translate.data.refusals import refuse

Pixels = npt.NDArray[np.uint8]

BACKGROUND: Final = 255
"""The grey level behind transparent pixels where alpha is not asked for: white."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_CONVERTIBLE = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBX", "RGBA", "RGBa", "YCbCr")


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How a file stores its levels: bits of one channel, and whether 0 means white (some TIFF)."""

    bits: int
    zero_is_white: bool = False


def to_pixels(image: Image.Image, channels: int, depth: Depth, name: str) -> Pixels:
    """A loaded picture as uint8, H x W x channels.

    Args:
        image: Loaded and upright.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA).
        depth: How the file stores its levels.
        name: The file, for messages.

    Raises:
        PictureError: `unsupported_mode` for modes whose white is not known (32-bit, LAB, ...).
    """
    image = _to_eight_bits(image, depth, name)
    if image.mode == "CMYK":
        image = _from_cmyk(image)
    if image.mode not in _CONVERTIBLE:
        raise refuse("unsupported_mode", name, f"pixels of mode {image.mode} are not read: save it as 8-bit RGB")
    if channels == 4 or not image.has_transparency_data:
        plain = _plain(image)
        # Pillow's convert copies where there is nothing to convert: a sixth of the time of a large photo
        pixels = np.asarray(plain if plain.mode == _MODES[channels] else plain.convert(_MODES[channels]))
    else:
        pixels = _on_background(image, channels)
    return pixels.reshape(image.height, image.width, channels)


def _plain(image: Image.Image) -> Image.Image:
    """Premultiplied modes go through their straight form: Pillow converts them no further."""
    straight = {"La": "LA", "RGBa": "RGBA"}
    return image.convert(straight[image.mode]) if image.mode in straight else image


def _on_background(image: Image.Image, channels: int) -> Pixels:
    rgba = np.asarray(_plain(image).convert("RGBA")).astype(np.uint16)
    alpha = rgba[..., 3:]
    mixed = (rgba[..., :3] * alpha + BACKGROUND * (255 - alpha) + 127) // 255
    return np.asarray(Image.fromarray(mixed.astype(np.uint8)).convert(_MODES[channels]))


def _to_eight_bits(image: Image.Image, depth: Depth, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _scale_grey(np.asarray(image), image, depth)
    if image.mode == "I" and image.format == "PNG":
        return _scale_grey(np.asarray(image), image, depth)
    if image.mode in ("I", "F"):
        raise refuse(
            "unsupported_mode",
            name,
            "32-bit or signed levels have no stated white: save it as 8- or 16-bit, scaled as it should look",
        )
    return _with_eight_bit_key(image, depth)


def _scale_grey(levels: npt.NDArray[np.generic], image: Image.Image, depth: Depth) -> Image.Image:
    """Scale, never clip: 16-bit white (65535) becomes 255, and 12-bit white (4095) too."""
    white = 2 ** min(max(depth.bits, 9), 16) - 1
    scaled = np.rint(levels.astype(np.float64) * (255 / white)).clip(0, 255).astype(np.uint8)
    grey = Image.fromarray(255 - scaled if depth.zero_is_white else scaled)
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey.putalpha(Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8)))
    return grey


def _with_eight_bit_key(image: Image.Image, depth: Depth) -> Image.Image:
    """PNG states its transparent colour in the file's own depth; Pillow's pixels are 8-bit by now."""
    key = image.info.get("transparency")
    if depth.bits == 8 or key is None or image.mode not in ("L", "RGB"):
        return image
    image = image.copy()  # the caller's may be asked again
    image.info["transparency"] = (
        tuple(_eight_bit_level(level, depth.bits) for level in key)
        if isinstance(key, tuple)
        else _eight_bit_level(key, depth.bits)
    )
    return image


def _eight_bit_level(level: int, bits: int) -> int:
    return level >> 8 if bits == 16 else level * 255 // (2**bits - 1)


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Through the embedded profile; without one, or with one that cannot be used, by Pillow's plain formula."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")
