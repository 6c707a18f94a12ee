"""Made-up pictures, always the same: for trying a model where no data is at hand."""

import numpy as np
from numpy.typing import NDArray

from translate.card import Card, LabelMap, Mask, PicturePort
from translate.runtime.base import Arrays
from translate.runtime.codec import Sample, codec_for
from translate.runtime.rows import synthetic_rows


def synthetic_inputs(card: Card, side_px: int) -> Arrays:
    """One sample for any model, as its runtime takes it; pictures of any size get this one."""
    if card.takes_pictures:
        return codec_for(card).encode([synthetic_sample(card, side_px, side_px)])
    return synthetic_rows(card, 1)


def synthetic_sample(card: Card, height_px: int, width_px: int) -> Sample:
    """One picture for every input of a model, of one size: waves of several lengths in each channel; in masks a box."""
    return {port.name: _pixels(port, height_px, width_px) for port in card.input_pictures}


def _pixels(port: PicturePort, height_px: int, width_px: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    if isinstance(port, Mask):
        return _box(height_px, width_px)
    y, x = np.mgrid[0:height_px, 0:width_px] / max(height_px, width_px)
    if isinstance(port, LabelMap):
        return (np.rint(_wave(y, x, 0) * (port.classes - 1))).astype(np.uint16)
    waves = np.stack([_wave(y, x, channel) for channel in range(port.channels)], axis=2)
    return np.rint(waves * 255).astype(np.uint8)


def _wave(y: NDArray[np.float64], x: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
    """H x W in [0, 1]."""
    return 0.5 + 0.5 * np.sin(2 * np.pi * ((channel + 1) * y + (2 * channel + 2) * x))


def _box(height_px: int, width_px: int) -> NDArray[np.uint8]:
    """H x W x 1: to be filled in the middle, known around it; a single pixel is to be filled."""
    levels = np.zeros((height_px, width_px, 1), np.uint8)
    levels[height_px // 4 : height_px - height_px // 4, width_px // 4 : width_px - width_px // 4] = 255
    return levels
