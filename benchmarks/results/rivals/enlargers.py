"""Interpolation, and models of any scale as enlargers of the scale that is compared."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.results.photos import Pixels, resized
from pipelines.load import load
from pipelines.translation import Upscale

Enlarger = Callable[[Pixels], Pixels]
"""A picture, H x W x 3, to one that is so many times as high and wide."""

_FILTERS: Mapping[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "Lanczos": Image.Resampling.LANCZOS,
}


def interpolations(scale: int) -> dict[str, Enlarger]:
    """PIL's filters."""
    return {name: partial(_interpolated, scale=scale, how=how) for name, how in _FILTERS.items()}


def enlarger(model: Path, scale: int) -> Enlarger:
    """A bundle or `.onnx` file; what it enlarges more than is asked for is reduced as Real-ESRGAN's `outscale` does.

    Raises SystemExit where it enlarges less, or does something else.
    """
    upscale = load(model, device="cpu")
    if not isinstance(upscale, Upscale) or upscale.card.scale < scale:
        raise SystemExit(f"{model} ({upscale.card.task}, {upscale.card.scale}x) does not enlarge {scale} times")
    return partial(_enlarged, upscale, scale=scale)


def _interpolated(pixels: Pixels, *, scale: int, how: Image.Resampling) -> Pixels:
    return resized(pixels, (pixels.shape[1] * scale, pixels.shape[0] * scale), how)


def _enlarged(upscale: Upscale, pixels: Pixels, *, scale: int) -> Pixels:
    made = np.asarray(upscale(pixels))
    size = pixels.shape[1] * scale, pixels.shape[0] * scale
    if made.shape[1::-1] == size:
        return made
    return np.asarray(cv2.resize(made, size, interpolation=cv2.INTER_LANCZOS4), np.uint8)
