"""Colours for grey photos: none, the mean colour of all training photos, and models."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.results.photos import Pixels
from pipelines.load import load
from pipelines.translation import Translate
from translate.metrics.baselines_made import MeanColour

Colourer = Callable[[Pixels], Pixels]
"""H x W x 1 to H x W x 3."""


def uncoloured(grey: Pixels) -> Pixels:
    """As it is."""
    return np.repeat(grey, 3, axis=2)


def mean_colour(photos: Iterable[Pixels]) -> Colourer:
    """The mean a and b of photos (CIELAB, D65), the same everywhere: the best that a constant can do for the RMSE."""
    return MeanColour.fit(photos)


def colourer(model: Path) -> Colourer:
    """A bundle or `.onnx` file. Raises SystemExit where it does not turn grey into RGB."""
    translate = load(model, device="cpu")
    if not isinstance(translate, Translate) or _channels(translate) != (1, 3):
        raise SystemExit(f"{model} does not turn grey pictures into RGB")
    return partial(_coloured, translate)


def _channels(translate: Translate) -> tuple[int, int]:
    return translate.card.input_pictures[0].channels, translate.card.output_pictures[0].channels


def _coloured(translate: Translate, grey: Pixels) -> Pixels:
    return np.asarray(translate(grey))
