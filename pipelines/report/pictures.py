"""Arrays to pictures inside the page: `data:` addresses, as small as they can be without showing it."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from pipelines.report.model import Pixels

DISPLAY_PX = 256
_LOSSLESS_BELOW_PX = 128
_LOSSLESS_WHILE_AT_MOST = 1.5
_JPEG_QUALITY = 90
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A picture in the page: its address, its own size, and the size at which the page shows it, all in pixels."""

    address: str
    width_px: int
    height_px: int
    shown_width_px: int
    shown_height_px: int
    has_alpha: bool

    @property
    def is_enlarged(self) -> bool:
        """Whether single pixels are to be seen, and so are to be shown crisp."""
        return self.shown_width_px > self.width_px


def embed(pixels: Pixels) -> Embedded:
    """Encode height x width (x 1, 3 or 4) uint8 pixels. Raises ValueError for any other shape or type."""
    picture = _picture(pixels)
    kind, encoded = _encode(picture)
    shown_width_px, shown_height_px = shown_size(*picture.size)
    return Embedded(
        address=f"data:image/{kind};base64,{b64encode(encoded).decode('ascii')}",
        width_px=picture.width,
        height_px=picture.height,
        shown_width_px=shown_width_px,
        shown_height_px=shown_height_px,
        has_alpha=picture.mode == "RGBA",
    )


def shown_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Small pictures are enlarged by a whole number, to 256 px at most; larger ones shrink to 256 px."""
    longest_px = max(width_px, height_px)
    if longest_px <= DISPLAY_PX:
        factor = DISPLAY_PX // longest_px
        return width_px * factor, height_px * factor
    return max(1, round(width_px * DISPLAY_PX / longest_px)), max(1, round(height_px * DISPLAY_PX / longest_px))


def _picture(pixels: Pixels) -> Image.Image:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != "uint8" or pixels.ndim not in (2, 3) or channels not in _MODES or not pixels.size:
        raise ValueError(
            f"A picture of the report has shape {pixels.shape} and type {pixels.dtype}: "
            "give uint8, height x width x 1, 3 or 4"
        )
    return Image.fromarray(pixels.squeeze(2) if pixels.ndim == 3 and channels == 1 else pixels)


def _encode(picture: Image.Image) -> tuple[str, bytes]:
    """Exact where pixels are looked at one by one or where flat areas make it cheap; JPEG for large photographs."""
    exact = _saved(picture, "webp", lossless=True, quality=75, method=4)
    if min(picture.size) < _LOSSLESS_BELOW_PX or picture.mode == "RGBA":
        return "webp", exact
    close = _saved(picture, "jpeg", quality=_JPEG_QUALITY, subsampling=0)
    return ("webp", exact) if len(exact) <= _LOSSLESS_WHILE_AT_MOST * len(close) else ("jpeg", close)


def _saved(picture: Image.Image, kind: str, **options: bool | int) -> bytes:
    target = BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()
