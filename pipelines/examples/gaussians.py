"""Points of a mixture of Gaussians on the plane, to measure mode coverage: PacGAN's protocol (Lin et al. 2018).

25 modes: at {-4, -2, 0, 2, 4} squared, standard deviation 0.05. 8 modes: evenly on the circle of radius 1, standard
deviation 0.01. Each mode is as probable as the others.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from pipelines.examples.arrays import Labelled, counts_of, write_arrays
from pipelines.examples.folder import OnProgress, Request, Summary, find_prepared
from translate.errors import ConfigurationError

TEST_SAMPLES: Final = 20_000

_ATTRIBUTION: Final = "Drawn by Pixturn; nobody's work."
_LICENCE: Final = "CC0-1.0: to the extent possible under law, all rights to these random numbers are waived.\n"
_README: Final = """# {modes} Gaussians

{train} points to train on and {test} to test on, of {modes} Gaussians on the plane, standard deviation {deviation},
seed {seed}. In each .npz: `x`, float32 N x 2; `y`, the mode, from 0, whose centre is

{centres}
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """Where the modes are: `centres`, float64 modes x 2, and the standard deviation that all of them have."""

    centres: npt.NDArray[np.float64]
    deviation: float

    def draw(self, samples: int, draw: np.random.Generator) -> Labelled:
        """Points, float32 N x 2, with their modes."""
        modes = draw.integers(0, len(self.centres), samples)
        points = self.centres[modes] + self.deviation * draw.standard_normal((samples, 2))
        return Labelled(values=points.astype(np.float32), labels=modes)


def grid_of_25() -> Mixture:
    """The grid, row by row."""
    steps = np.arange(-4.0, 5.0, 2.0)
    return Mixture(centres=np.array([(x, y) for y in steps for x in steps]), deviation=0.05)


def ring_of_8() -> Mixture:
    """The ring, from (1, 0) against the clock."""
    angles = np.arange(8) * (2.0 * np.pi / 8.0)
    return Mixture(centres=np.stack([np.cos(angles), np.sin(angles)], axis=1), deviation=0.01)


_MIXTURES: Final = {25: grid_of_25, 8: ring_of_8}


def prepare(
    folder: Path,
    *,
    modes: Literal[25, 8] = 25,
    samples: int = 100_000,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Summary:
    """Prepares `train.npz` with `samples` points and `test.npz` with 20,000. A second, and 1 MB.

    A folder that already holds them is left as it is.

    Raises:
        ConfigurationError: An option is out of range, or the folder holds something else.
        StorageError: The disk is full.
    """
    if samples < 1 or seed < 0:
        raise ConfigurationError(f"samples is {samples} and seed is {seed}: use at least 1 and 0")
    request = Request(name="gaussians", package="", size_px=0, variant=f"{modes} modes, {samples} samples, seed {seed}")
    prepared = find_prepared(folder, request)
    if prepared is not None:
        return prepared
    mixture = _MIXTURES[modes]()
    parts = {
        "train": mixture.draw(samples, np.random.default_rng([seed, 0])),
        "test": mixture.draw(TEST_SAMPLES, np.random.default_rng([seed, 1])),
    }
    summary = Summary(
        request=request,
        licence="CC0-1.0",
        attribution=_ATTRIBUTION,
        counts=counts_of(parts),
        modes={"kind": "gaussians", "centres": mixture.centres.tolist(), "deviation": mixture.deviation},
    )
    readme = _README.format(
        modes=modes, deviation=mixture.deviation, seed=seed, centres=_listed(mixture), **summary.counts
    )
    return write_arrays(folder, summary, parts, readme=readme, licence_text=_LICENCE, on_progress=on_progress)


def _listed(mixture: Mixture) -> str:
    return "\n".join(f"- {mode}: {x:.4f}, {y:.4f}" for mode, (x, y) in enumerate(mixture.centres.tolist()))
