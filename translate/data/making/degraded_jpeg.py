"""What JPEG does to a picture, on any device.

kornia's codec rounds softly, so that it has gradients, and keeps 0.5 to 0.7 dB more of a photo than a file does. This
one rounds as a file does, wherever libjpeg rounds (ITU-T T.81; chroma halved, as by default).
"""

import functools

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from translate.placing import numbers, placed

_BLOCK = 8
_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136286, -0.714136286), (1.0, 1.772, 0.0))

_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, *(99,) * 4),
    (18, 21, 26, 66, *(99,) * 4),
    (24, 26, 56, *(99,) * 5),
    (47, 66, *(99,) * 6),
    *((99,) * 8,) * 4,
)
"""ITU-T T.81, annex K.1."""


def jpeg(picture: Tensor, *, quality: int) -> Tensor:
    """A picture as it comes out of a JPEG file.

    Args:
        picture: 1 x 3 or 1 x 1 x H x W in [0, 1].
        quality: libjpeg's, 1 to 100.

    Returns:
        The same shape, on the levels of 8 bits.
    """
    height, width = picture.shape[-2:]
    levels = (picture * 255.0).round().clamp(0.0, 255.0)
    padded = functional.pad(levels, (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK)), mode="replicate")
    luma, chroma = _tables(quality)
    decoded = _quantised(padded, luma) if picture.shape[1] == 1 else _coloured(padded, luma, chroma)
    return decoded[..., :height, :width] / 255.0


def _coloured(rgb: Tensor, luma_table: np.ndarray, chroma_table: np.ndarray) -> Tensor:
    ycbcr = _mixed(rgb, _TO_YCBCR, numbers([0.0, 128.0, 128.0], rgb.device)).round().clamp(0.0, 255.0)
    luma = _quantised(ycbcr[:, :1], luma_table)
    halved = functional.avg_pool2d(ycbcr[:, 1:], 2).round()
    chroma = _quantised(halved, chroma_table)
    enlarged = functional.interpolate(chroma, scale_factor=2, mode="bilinear").round()
    rgb = _mixed(torch.cat([luma, enlarged - 128.0], dim=1), _TO_RGB, torch.zeros(3, device=rgb.device))
    return rgb.round().clamp(0.0, 255.0)


def _mixed(channels: Tensor, weights: tuple[tuple[float, ...], ...], offsets: Tensor) -> Tensor:
    matrix = numbers(weights, channels.device)
    return torch.einsum("oi,nihw->nohw", matrix, channels) + offsets.view(1, -1, 1, 1)


def _quantised(levels: Tensor, table: np.ndarray) -> Tensor:
    """Each block of 8 x 8 pixels by its cosines, of which only multiples of the table's steps are kept."""
    cosines = placed(torch.from_numpy(_cosines()), levels.device)
    steps = placed(torch.from_numpy(table), levels.device)
    blocks = _blocks(levels - 128.0)
    coefficients = (cosines @ blocks @ cosines.T / steps).round() * steps
    pixels = cosines.T @ coefficients @ cosines + 128.0
    return _whole(pixels).round().clamp(0.0, 255.0)


def _blocks(picture: Tensor) -> Tensor:
    """N x C x H x W to N x C x H/8 x W/8 x 8 x 8."""
    return picture.unfold(2, _BLOCK, _BLOCK).unfold(3, _BLOCK, _BLOCK)


def _whole(blocks: Tensor) -> Tensor:
    count, channels, rows, columns = blocks.shape[:4]
    return blocks.transpose(3, 4).reshape(count, channels, rows * _BLOCK, columns * _BLOCK)


@functools.cache
def _cosines() -> np.ndarray:
    """The orthonormal discrete cosine transform of 8 numbers, a frequency a row."""
    frequencies, places = np.arange(_BLOCK)[:, None], np.arange(_BLOCK)[None, :]
    waves = np.cos(np.pi * (2 * places + 1) * frequencies / (2 * _BLOCK))
    return (waves * np.where(frequencies == 0, np.sqrt(1 / _BLOCK), np.sqrt(2 / _BLOCK))).astype(np.float32)


@functools.cache
def _tables(quality: int) -> tuple[np.ndarray, np.ndarray]:
    """The steps of luma and chroma, 8 x 8 each: those of quality 50 scaled as libjpeg does."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (np.clip((np.array(steps) * percent + 50) // 100, 1, 255) for steps in (_LUMA, _CHROMA))
    return luma.astype(np.float32), chroma.astype(np.float32)
