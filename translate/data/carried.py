"""What a translation keeps of the picture it was made from.

**Colour profile**: where the colours are of one kind throughout (RGB in, RGB out; grey in, grey out), the numbers mean
what they meant, and the ICC profile goes along. It is dropped where the kind changes (CMYK has been turned into sRGB,
colours into grey or into classes), where it is for another kind of colours than the picture has, and where it is no
sound profile or above 4 MB.

**Transparency** (`keep`): the model sees the picture on white, as it does in training; the alpha of the picture is put
back on a translation with 1 or 3 channels, in a format that has alpha (PNG, WebP, TIFF): as it is where the size stays,
enlarged by Lanczos interpolation where a model enlarges. The white is taken out of half-transparent colours, so that
the result on white is what the model made; where no colour under that alpha is so dark, it is black. Otherwise (a
picture that was extended beyond its edges), or asked for `white`, the translation is opaque; and so is what was filled.
A picture whose alpha is 255 everywhere has none. Where the model makes an alpha of its own (4 channels), that one
stays; where it took alpha in, it has had its say: nothing is put back.

**Depth**: 16 bits have become 8 (see `translate.data.pictures`), and the translation has 8.

**All else** (EXIF, XMP, texts, thumbnails, places) is dropped; orientation has been applied.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from translate.data.colour import Pixels
from translate.data.pictures import Decoded, pixels_of

Alpha = Literal["keep", "white"]

_MOST_PROFILE_BYTES: Final = 4_000_000
_PROFILE_HEADER_BYTES: Final = 128
_CHANNELS_OF_KIND: Final = {b"GRAY": (1,), b"RGB ": (3, 4)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Carried:
    """What goes along with one picture: a sound profile, and H x W alpha where something is transparent."""

    profile: bytes | None = None
    alpha: Pixels | None = None

    def profile_for(self, channels: int) -> bytes | None:
        """The profile for a translation of so many channels; None where it does not fit."""
        fits = self.profile is not None and channels in _CHANNELS_OF_KIND[self.profile[16:20]]
        return self.profile if fits else None

    def with_alpha(self, made: npt.NDArray[np.integer], *, scale: int = 1) -> npt.NDArray[np.integer]:
        """A translation (H x W x C) with the alpha put on, as one more channel; as it is where that does not fit.

        Its colours become those that look on white as the translation does ("over" of Porter and Duff 1984, inverted).

        Args:
            made: the translation of the picture on white, uint8.
            scale: how many times as high and wide as the picture it is to be.
        """
        if self.alpha is None or made.shape[2] not in (1, 3):
            return made
        height, width = (length * scale for length in self.alpha.shape)
        if made.shape[:2] != (height, width):
            return made
        alpha = _enlarged(self.alpha, height, width)
        return np.dstack([_without_white(made, alpha), alpha])

    def opaque_where(self, mask: npt.NDArray[np.bool_]) -> "Carried":
        """The same, but for what was filled (H x W): that is not transparent any more."""
        return self if self.alpha is None else replace(self, alpha=np.where(mask, np.uint8(255), self.alpha))


def carried_of(decoded: Decoded, *, channels: int, alpha: Alpha) -> Carried:
    """What a translation of this picture keeps.

    Args:
        decoded: the picture.
        channels: as how many it goes into the model: 1 (grey), 3 (RGB) or 4 (RGBA).
        alpha: whether its transparency goes along.
    """
    kept = _alpha_of(decoded) if alpha == "keep" and channels in (1, 3) else None
    return Carried(profile=_profile_of(decoded, channels), alpha=kept)


def _without_white(made: npt.NDArray[np.integer], alpha: Pixels) -> npt.NDArray[np.integer]:
    """Solves seen = cover * colour + (1 - cover) * 255 for the colour, where that can be done and changes anything."""
    partly = (alpha > 0) & (alpha < 255)
    cover = alpha[partly].astype(np.float32)[:, np.newaxis] / 255
    colours = made.copy()
    colours[partly] = np.clip(np.rint(255 - (255 - made[partly].astype(np.float32)) / cover), 0, 255)
    return colours


def _enlarged(alpha: Pixels, height_px: int, width_px: int) -> Pixels:
    if alpha.shape == (height_px, width_px):
        return alpha
    return np.asarray(Image.fromarray(alpha).resize((width_px, height_px), Image.Resampling.LANCZOS))


def _alpha_of(decoded: Decoded) -> Pixels | None:
    if not decoded.image.has_transparency_data:
        return None
    alpha = np.ascontiguousarray(pixels_of(decoded, channels=4)[..., 3])
    return None if alpha.min() == 255 else alpha


def _profile_of(decoded: Decoded, channels: int) -> bytes | None:
    profile = decoded.image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not _is_sound(profile):
        return None
    in_file = b"GRAY" if decoded.probe.is_grey else b"CMYK" if decoded.probe.mode == "CMYK" else b"RGB "
    stays = profile[16:20] == in_file and channels in _CHANNELS_OF_KIND.get(in_file, ())
    return profile if stays else None


def _is_sound(profile: bytes) -> bool:
    """ICC.1:2022, 7.2: the length comes first, and the signature `acsp` at byte 36."""
    stated = int.from_bytes(profile[:4], "big")
    return (
        _PROFILE_HEADER_BYTES <= len(profile) <= _MOST_PROFILE_BYTES
        and stated == len(profile)
        and (profile[36:40] == b"acsp")
    )
