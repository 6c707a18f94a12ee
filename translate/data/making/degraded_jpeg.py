"""What JPEG does to a picture, on any device.

kornia's codec rounds softly, so that it has gradients, and keeps 0.5 to 0.7 dB more of a photo than a file does. This
one rounds as a file does, wherever libjpeg rounds (ITU-T T.81; chroma halved, as by default).
"""

import functools
import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

_BLOCK = 8
_TO_YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
_TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136286, -0.714136286), (1.0, 1.772, 0.0))


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
    ycbcr = _mixed(rgb, _TO_YCBCR, torch.tensor([0.0, 128.0, 128.0], device=rgb.device)).round().clamp(0.0, 255.0)
    luma = _quantised(ycbcr[:, :1], luma_table)
    halved = functional.avg_pool2d(ycbcr[:, 1:], 2).round()
    chroma = _quantised(halved, chroma_table)
    enlarged = functional.interpolate(chroma, scale_factor=2, mode="bilinear").round()
    rgb = _mixed(torch.cat([luma, enlarged - 128.0], dim=1), _TO_RGB, torch.zeros(3, device=rgb.device))
    return rgb.round().clamp(0.0, 255.0)


def _mixed(channels: Tensor, weights: tuple[tuple[float, ...], ...], offsets: Tensor) -> Tensor:
    matrix = torch.tensor(weights, device=channels.device)
    return torch.einsum("oi,nihw->nohw", matrix, channels) + offsets.view(1, -1, 1, 1)


def _quantised(levels: Tensor, table: np.ndarray) -> Tensor:
    """Each block of 8 x 8 pixels by its cosines, of which only multiples of the table's steps are kept."""
    cosines = torch.from_numpy(_cosines()).to(levels.device)
    steps = torch.from_numpy(table).to(levels.device)
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
    """The steps of luma and chroma, 8 x 8 each: libjpeg's, as Pillow writes them into a file."""
    file = io.BytesIO()
    Image.new("RGB", (_BLOCK, _BLOCK)).save(file, "JPEG", quality=quality)
    with Image.open(file, formats=["JPEG"]) as picture:
        tables = picture.quantization  # pyright: ignore[reportAttributeAccessIssue]
    luma, chroma = (np.array(tables[index], np.float32).reshape(_BLOCK, _BLOCK) for index in (0, 1))
    return luma, chroma
