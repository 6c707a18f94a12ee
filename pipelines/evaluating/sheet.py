"""A sheet of pictures in rows, each row under a line of words and each picture over its name and score."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from PIL import Image, ImageDraw, ImageFont

from pipelines.evaluating.ranking import Ranked

_CELL_PX = 128
_GAP_PX = 8
_LINE_PX = 14
_TITLE_PX = 20
_COLUMNS = 10
_LETTERS = 20
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_GREY = (96, 96, 96)


@dataclass(frozen=True, kw_only=True)
class Row:
    """Pictures with what they are; more than ten go on in a further line."""

    title: str
    pictures: Sequence[Ranked]


def sheet(rows: Sequence[Row]) -> bytes:
    """A PNG of all rows."""
    heights = [_height(row) for row in rows]
    page = Image.new("RGB", (_COLUMNS * (_CELL_PX + _GAP_PX) + _GAP_PX, sum(heights) + _GAP_PX), _WHITE)
    for number, row in enumerate(rows):
        _draw(page, row, sum(heights[:number]) + _GAP_PX)
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _height(row: Row) -> int:
    lines = -(-len(row.pictures) // _COLUMNS)
    return _TITLE_PX + lines * (_CELL_PX + 2 * _LINE_PX + _GAP_PX)


def _draw(page: Image.Image, row: Row, top: int) -> None:
    pen, letters = ImageDraw.Draw(page), ImageFont.load_default(11)
    pen.text((_GAP_PX, top), row.title, fill=_BLACK, font=ImageFont.load_default(14))
    for place, picture in enumerate(row.pictures):
        down, across = divmod(place, _COLUMNS)
        left = _GAP_PX + across * (_CELL_PX + _GAP_PX)
        upper = top + _TITLE_PX + down * (_CELL_PX + 2 * _LINE_PX + _GAP_PX)
        page.paste(_cell(picture), (left, upper))
        pen.text((left, upper + _CELL_PX), _short(picture.name), fill=_BLACK, font=letters)
        pen.text((left, upper + _CELL_PX + _LINE_PX), f"{picture.score:+.2f}", fill=_GREY, font=letters)


def _cell(picture: Ranked) -> Image.Image:
    """Small pictures are enlarged without smoothing, so that their own pixels are seen."""
    enlarged = picture.pixels.shape[0] < _CELL_PX
    how = Image.Resampling.NEAREST if enlarged else Image.Resampling.BICUBIC
    return Image.fromarray(picture.pixels).resize((_CELL_PX, _CELL_PX), how)


def _short(name: str) -> str:
    """The end of a file's name tells more than its beginning; letters that the font lacks become question marks."""
    plain = PurePosixPath(name).name.encode("ascii", "replace").decode()
    return plain if len(plain) <= _LETTERS else f"...{plain[3 - _LETTERS :]}"
