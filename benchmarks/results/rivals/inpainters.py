"""Filling holes: the colour around them, OpenCV's two methods, and models."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.results.photos import Pixels
from pipelines.inpainting import Inpaint
from pipelines.load import load

RADII_PX = (3, 5)
"""Around each pixel that is filled: what OpenCV's methods look at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Torn:
    """A photo with a hole, H x W x 3, which holds nothing of the photo; and where it is, H x W, true to fill."""

    picture: Pixels
    hole: NDArray[np.bool_]


Inpainter = Callable[[Torn], Pixels]


def classical() -> dict[str, Inpainter]:
    """What needs no training."""
    found: dict[str, Inpainter] = {"mean of the border": mean_of_border}
    for radius_px in RADII_PX:
        found[f"OpenCV Telea, {radius_px} px"] = partial(_opencv, radius_px=radius_px, method=cv2.INPAINT_TELEA)
        found[f"OpenCV Navier-Stokes, {radius_px} px"] = partial(_opencv, radius_px=radius_px, method=cv2.INPAINT_NS)
    return found


def inpainter(model: Path) -> Inpainter:
    """A bundle or `.onnx` file. Raises SystemExit where it is for something else."""
    inpaint = load(model, device="cpu")
    if not isinstance(inpaint, Inpaint):
        raise SystemExit(f"{model} is for the task {inpaint.card.task!r}, not for filling holes")
    return partial(_filled, inpaint)


def mean_of_border(torn: Torn) -> Pixels:
    """Each hole in the mean colour of the known pixels that touch it."""
    made, whole = torn.picture.copy(), torn.hole.astype(np.uint8)
    count, labels = cv2.connectedComponents(whole, connectivity=8)
    for label in range(1, count):
        hole = labels == label
        border = (cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~torn.hole
        made[hole] = torn.picture[border].mean(axis=0).round().astype(np.uint8)
    return made


def _opencv(torn: Torn, *, radius_px: int, method: int) -> Pixels:
    return np.asarray(cv2.inpaint(torn.picture, torn.hole.astype(np.uint8), radius_px, method), np.uint8)


def _filled(inpaint: Inpaint, torn: Torn) -> Pixels:
    return np.asarray(inpaint(torn.picture, torn.hole[..., None].astype(np.uint8) * 255))
