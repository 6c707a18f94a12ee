"""The README's first picture, by bundles on held-out examples: `python -m benchmarks.results.ready_to_use OUT.jpg`."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import pipelines

_BUNDLES = Path(__file__).parents[2] / "checkpoints"
_HIGH_PX, _GAP_PX, _TITLE_PX = 240, 8, 26
_FACE = (50, 20, 110, 80)
"""Of the example of x4, in pixels of the small picture."""
_MARK = (214, 69, 52)
Column = tuple[str, Image.Image, Image.Image]


def enlarged() -> Column:
    """A part of a small picture, its pixels as squares, and the same part four times as high."""
    small = _example("x4")
    large = pipelines.load("x4")(small).crop(tuple(4 * edge for edge in _FACE))
    return "pixturn upscale x4", small.crop(_FACE).resize((_HIGH_PX, _HIGH_PX), Image.Resampling.NEAREST), large


def filled() -> Column:
    """A photo with what is to go in red, and without it."""
    photo, mask = _example("inpaint"), Image.open(_BUNDLES / "inpaint" / "example.mask.png").convert("L")
    red = Image.blend(photo, Image.new("RGB", photo.size, _MARK), 0.65)
    return "pixturn inpaint --mask", Image.composite(red, photo, mask), pipelines.load("inpaint")(photo, mask)


def coloured() -> Column:
    """A grey photo, and in colour."""
    grey = _example("colourise")
    return "pixturn run colourise", grey, pipelines.load("colourise")(grey)


def sheet(columns: list[Column]) -> Image.Image:
    """What was given above what was made, all of one height."""
    rows = [(title, _high(given), _high(made)) for title, given, made in columns]
    width = sum(given.width + _GAP_PX for _, given, _ in rows) - _GAP_PX
    page = Image.new("RGB", (width, _TITLE_PX + 2 * _HIGH_PX + _GAP_PX), "white")
    draw, left = ImageDraw.Draw(page), 0
    for title, given, made in rows:
        draw.text((left, 4), title, fill=(60, 60, 60), font=ImageFont.load_default(15))
        page.paste(given, (left, _TITLE_PX))
        page.paste(made, (left, _TITLE_PX + _HIGH_PX + _GAP_PX))
        left += given.width + _GAP_PX
    return page


def _example(bundle: str) -> Image.Image:
    return Image.open(_BUNDLES / bundle / "example.jpg").convert("RGB")


def _high(picture: Image.Image) -> Image.Image:
    width = round(picture.width * _HIGH_PX / picture.height)
    return picture.convert("RGB").resize((width, _HIGH_PX), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sheet([enlarged(), filled(), coloured()]).save(sys.argv[1], quality=88)
