"""A sheet of what a generator makes, whatever it makes: pictures in a grid, points as a cloud."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.generating.generate import Generate
from pipelines.generating.sheets import grid
from translate.card import FixedPicture

_SIDE_PX: Final = 384
_POINTS: Final = 2500
_MARGIN: Final = 1.15

Points = NDArray[np.floating]


def shown_samples(generate: Generate, count: int, *, seed: int = 0, real: Points | None = None) -> Image.Image:
    """The first `count` pictures of a seed; of points a cloud, over real ones in grey where there are any."""
    if any(isinstance(port, FixedPicture) for port in generate.card.outputs):
        return grid(generate(count, seed=seed))
    made = generate.arrays(_POINTS, seed=seed)[generate.card.outputs[0].name]
    return cloud(made, made if real is None else real)


def cloud(made: Points, real: Points) -> Image.Image:
    """Points by their first two numbers (N x D; of single numbers, by number and order), made ones over real ones.

    A square white picture whose edges stand a little outside of the real points: made ones beyond are at the edge.
    """
    half = float(np.abs(real[:, :2]).max()) * _MARGIN
    page = np.full((_SIDE_PX, _SIDE_PX, 3), 255, np.uint8)
    for points, colour in ((real[:_POINTS], (205, 205, 205)), (made[:_POINTS], (200, 60, 30))):
        rows, columns = _pixels(_flat(points), half)
        page[rows, columns] = colour
    return Image.fromarray(page)


def _flat(points: Points) -> Points:
    """N x 2: single numbers get a height of their own, so that they do not cover one another."""
    if points.shape[1] > 1:
        return points[:, :2]
    heights = np.linspace(-1.0, 1.0, len(points)) * np.abs(points).max()
    return np.stack([points[:, 0], heights], axis=1)


def _pixels(points: Points, half: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    places = np.clip((points / half + 1.0) / 2.0, 0.0, 1.0) * (_SIDE_PX - 1)
    across, up = np.rint(places).astype(np.intp).T
    return _SIDE_PX - 1 - up, across
