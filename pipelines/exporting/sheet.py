"""Pictures before and after, on one sheet: what the exported file itself makes of them."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from pipelines.scoring.heldout import shown
from pipelines.tasks import Translate
from translate.card import PicturePort
from translate.export.fitting import fitted
from translate.runtime.codec import Pixels, Sample

PICTURES = 4
_CELL_PX = 192
_GAP_PX = 4
_WHITE = (255, 255, 255)


def sheet(translate: Translate, samples: Sequence[Sample], *, side_px: int) -> bytes:
    """A PNG: one row a picture, first what goes in (every input port), then what comes out.

    Pictures go in with a longer side of `side_px`, and are shown in cells of one size.
    """
    rows = [_row(translate, _scaled(sample, translate.card.input_pictures, side_px)) for sample in samples[:PICTURES]]
    step = _CELL_PX + _GAP_PX
    page = Image.new("RGB", (len(rows[0]) * step - _GAP_PX, len(rows) * step - _GAP_PX), _WHITE)
    for down, row in enumerate(rows):
        for across, cell in enumerate(row):
            page.paste(cell, (across * step, down * step))
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _scaled(sample: Sample, ports: Sequence[PicturePort], side_px: int) -> dict[str, Pixels]:
    height, width = next(iter(sample.values())).shape[:2]
    shrink = side_px / max(height, width)
    return fitted(sample, ports, max(1, round(height * shrink)), max(1, round(width * shrink)))


def _row(translate: Translate, sample: Sample) -> list[Image.Image]:
    made = translate.outputs(sample)
    inputs = [_cell(sample[port.name], port) for port in translate.card.input_pictures]
    return inputs + [_cell(made[port.name], port) for port in translate.card.output_pictures]


def _cell(pixels: Pixels, port: PicturePort) -> Image.Image:
    """A picture in the middle of a white square."""
    image = Image.fromarray(shown(pixels.reshape(*pixels.shape[:2], -1), port).astype(np.uint8))
    return ImageOps.pad(image, (_CELL_PX, _CELL_PX), Image.Resampling.BICUBIC, color=_WHITE)
