"""Real pictures at the sizes of a proof."""

import numpy as np
from PIL import Image

from translate.runtime.codec import Pixels, Sample


def fitted(sample: Sample, height_px: int, width_px: int) -> dict[str, Pixels]:
    """The pictures and label maps of one sample, resized to H x W x C.

    Resized rather than cropped: a small crop may be of one colour, and says little of how a network treats pictures.
    """
    return {name: _resized(pixels, height_px, width_px) for name, pixels in sample.items()}


def _resized(pixels: Pixels, height_px: int, width_px: int) -> Pixels:
    """Levels by area where a picture shrinks; classes, which have none between them, by the nearest pixel."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    if planes.dtype != np.uint8 or planes.shape[2] == 1:
        rows = np.arange(height_px) * planes.shape[0] // height_px
        columns = np.arange(width_px) * planes.shape[1] // width_px
        return planes[rows][:, columns]
    resized = [_resized_plane(planes[..., index], height_px, width_px) for index in range(planes.shape[2])]
    return np.stack(resized, axis=-1)


def _resized_plane(plane: Pixels, height_px: int, width_px: int) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width_px, height_px), Image.Resampling.BILINEAR))
