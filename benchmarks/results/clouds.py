"""Points that runs make, side by side, over the 25 true modes: `python -m benchmarks.results.clouds OUT.png RUN...`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray
from PIL import Image

from benchmarks.results.material import samples
from translate.metrics.modes import GaussianModes

REACH = 5.0
"""Half the side of what is shown, in the points' units; the modes lie within 4."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to draw."""

    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """The picture."""
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folders of runs, from left to right."""
    points: int = 2500
    """Of each: the first ones of the seed."""
    seed: int = 0
    """Of the noise."""
    size_px: int = 300
    """Side of each square."""


def cloud(points: NDArray[np.float32], size_px: int) -> NDArray[np.uint8]:
    """Points as dark dots on white, the true modes as pale rings of 3 sigma: size x size x 3."""
    modes = GaussianModes.grid25()
    picture = np.full((size_px, size_px, 3), 255, np.uint8)
    rows, columns = np.mgrid[:size_px, :size_px]
    for centre in modes.centres:
        column, row = _place(np.array([centre]), size_px)[0]
        picture[np.hypot(rows - row, columns - column) <= 2 + 3 * modes.sigma * size_px / (2 * REACH)] = (255, 214, 153)
    places = _place(points, size_px)
    inside = places[((places >= 0) & (places < size_px)).all(axis=1)]
    picture[inside[:, 1], inside[:, 0]] = (20, 50, 110)
    return picture


def _place(points: NDArray[np.floating], size_px: int) -> NDArray[np.int64]:
    """Column and row of each point; up is up."""
    shares = (points * (1, -1) + REACH) / (2 * REACH)
    return np.floor(shares * size_px).astype(np.int64)


def main(options: Options) -> None:
    made = [samples(run, options.points, options.seed).numpy() for run in options.runs]
    gap = np.full((options.size_px, 8, 3), 160, np.uint8)
    parts = [part for points in made for part in (gap, cloud(points, options.size_px))][1:]
    Image.fromarray(np.concatenate(parts, axis=1)).save(options.out, optimize=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
