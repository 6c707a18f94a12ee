"""Filling holes: the colour around them, OpenCV's two methods, and models."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.results.photos import Pixels
from pipelines.inpainting import Inpaint
from pipelines.load import load
from translate.metrics.baselines_made import BorderMean, Inpainted

KINDS: Final[tuple[Literal["Telea", "Navier-Stokes"], ...]] = ("Telea", "Navier-Stokes")
RADII_PX: Final = (3, 5)
"""Around each pixel that is filled: what OpenCV's methods look at."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Torn:
    """A photo with a hole, H x W x 3, which holds nothing of the photo; and where it is, H x W, true to fill."""

    picture: Pixels
    hole: NDArray[np.bool_]


Inpainter = Callable[[Torn], Pixels]


def classical() -> dict[str, Inpainter]:
    """What needs no training."""
    found: dict[str, Inpainter] = {"mean of the border": partial(_without_learning, BorderMean())}
    for radius_px, kind in itertools.product(RADII_PX, KINDS):
        filled = Inpainted(kind=kind, radius_px=radius_px)
        found[f"OpenCV {kind}, {radius_px} px"] = partial(_without_learning, filled)
    return found


def inpainter(model: Path) -> Inpainter:
    """A bundle or `.onnx` file. Raises SystemExit where it is for something else."""
    inpaint = load(model, device="cpu")
    if not isinstance(inpaint, Inpaint):
        raise SystemExit(f"{model} is for the task {inpaint.card.task!r}, not for filling holes")
    return partial(_filled, inpaint)


def _without_learning(baseline: BorderMean | Inpainted, torn: Torn) -> Pixels:
    mask = torn.hole[..., None].astype(np.uint8) * 255
    return baseline(np.concatenate([torn.picture, mask], axis=2))


def _filled(inpaint: Inpaint, torn: Torn) -> Pixels:
    return np.asarray(inpaint(torn.picture, torn.hole[..., None].astype(np.uint8) * 255))
