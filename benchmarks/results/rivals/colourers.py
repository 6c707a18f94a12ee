"""Colours for grey photos: none, the mean colour of all training photos, and models."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import kornia
import numpy as np
import torch
from torch import Tensor

from benchmarks.results.photos import Pixels, as_tensor
from pipelines.load import load
from pipelines.translation import Translate

Colourer = Callable[[Pixels], Pixels]
"""H x W x 1 to H x W x 3."""


def uncoloured(grey: Pixels) -> Pixels:
    """As it is."""
    return np.repeat(grey, 3, axis=2)


def mean_colour(photos: Iterable[Pixels]) -> Colourer:
    """The mean a and b of photos (CIELAB, D65), the same everywhere: the best that a constant can do for the RMSE."""
    means = torch.stack([_lab(as_tensor(pixels))[0, 1:].mean(dim=(1, 2)) for pixels in photos])
    return partial(_tinted, means.mean(dim=0))


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


def _tinted(ab: Tensor, grey: Pixels) -> Pixels:
    lab = _lab(as_tensor(uncoloured(grey)))
    lab[:, 1:] = ab.view(1, 2, 1, 1)
    rgb = kornia.color.lab_to_rgb(lab, clip=True)[0]
    return (rgb * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def _lab(pictures: Tensor) -> Tensor:
    return kornia.color.rgb_to_lab((pictures + 1) / 2)
