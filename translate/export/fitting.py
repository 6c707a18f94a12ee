"""Real pictures at the sizes of a proof."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from translate.card import Picture, PicturePort
from translate.runtime.codec import Pixels, Sample


def fitted(sample: Sample, ports: Iterable[PicturePort], height_px: int, width_px: int) -> dict[str, Pixels]:
    """What a sample holds for these ports, resized to H x W x C.

    Resized rather than cropped: a small crop may be of one colour, and says little of how a network treats pictures.
    """
    return {port.name: _resized(sample[port.name], port, height_px, width_px) for port in ports}


def _resized(pixels: Pixels, port: PicturePort, height_px: int, width_px: int) -> Pixels:
    planes = pixels.reshape(*pixels.shape[:2], -1)
    return (_by_area if isinstance(port, Picture) else _nearest)(planes, height_px, width_px)


def _nearest(planes: Pixels, height_px: int, width_px: int) -> Pixels:
    """For classes and masks, which have no level between two others."""
    rows = np.arange(height_px) * planes.shape[0] // height_px
    columns = np.arange(width_px) * planes.shape[1] // width_px
    return planes[rows][:, columns]


def _by_area(planes: Pixels, height_px: int, width_px: int) -> Pixels:
    """For levels: where a picture shrinks, each pixel is the mean of those that it stands for."""
    resized = [_resized_plane(planes[..., index], height_px, width_px) for index in range(planes.shape[2])]
    return np.stack(resized, axis=-1)


def _resized_plane(plane: Pixels, height_px: int, width_px: int) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((width_px, height_px), Image.Resampling.BILINEAR))
