"""Does a generator memorise? The training pictures that are nearest to each sample, and how near they are.

The distance of two pictures is the root mean square of the difference of their levels (0 to 255), pixel by pixel.
It finds copies. It does not see a copy that was shifted or mirrored, and what is smooth is near to everything: look at
the sheet.
"""

from dataclasses import dataclass
from math import exp, lgamma, log

import numpy as np
from numpy.typing import NDArray

from translate.errors import PictureError

PROBES = 256
NEAR = 0.05
_CHUNK = 1024
"""Pictures that are compared at once, at most."""
_CHUNK_NUMBERS = 2**24
"""Numbers of theirs, as float64: 128 MB a side."""
_PART = 0.15
_CHANCE = 0.001

Pictures = NDArray[np.uint8]
"""N x H x W x C."""


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Of N pictures, the k nearest of others, nearest first: their `places` and `distances` (levels), each N x k."""

    places: NDArray[np.int64]
    distances: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """How near samples are to training pictures, beside how near real pictures are to them.

    Distances in levels, to the nearest training picture. `near` is what 5 % of the real pictures stay below, `part`
    the part of the samples that does; `chance`: how likely so many or more would be if samples were like real ones.
    """

    of_samples: float
    of_real: float
    near: float
    part: float
    chance: float

    @property
    def is_suspicious(self) -> bool:
        """At least three times as many near ones as among real pictures, and not by chance (1 in 1000)."""
        return self.part >= _PART and self.chance < _CHANCE

    @property
    def sentence(self) -> str:
        """The finding for people."""
        figures = (
            f"the nearest training picture is {self.of_samples:.1f} levels away from a sample (median), and "
            f"{self.of_real:.1f} from a real picture; {self.part:.0%} of the samples, and {NEAR:.0%} of the real "
            f"pictures, are nearer than {self.near:.1f}"
        )
        if self.is_suspicious:
            return f"Closer to training pictures than real pictures are: suspicious, look at the sheet ({figures})"
        return f"Not closer to training pictures than real pictures are ({figures})"


def nearest(
    pictures: Pictures, training: Pictures, *, k: int = 5, without: NDArray[np.integer] | None = None
) -> Neighbours:
    """The k nearest training pictures of each picture, exactly (equal pictures have the distance 0).

    Args:
        pictures: N x H x W x C.
        training: M x H x W x C.
        k: at most as many as there are.
        without: N places in `training`: one picture that each one is not compared with, itself.

    Raises:
        PictureError: the pictures differ in size, or there are none to compare with.
    """
    _require_alike(pictures, training, least=1 if without is None else 2)
    squares = _all_squares(pictures, training)
    if without is not None:
        squares[np.arange(len(pictures)), without] = np.inf
    k = min(k, len(training) - (without is not None))
    places = np.argpartition(squares, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(squares, places, axis=1), axis=1, kind="stable")
    places = np.take_along_axis(places, order, axis=1)
    distances = np.sqrt(np.take_along_axis(squares, places, axis=1) / pictures[0].size)
    return Neighbours(places=places, distances=distances)


def nearness(samples: Neighbours, training: Pictures, held_out: Pictures | None = None) -> Nearness:
    """Compare the samples' distances with those of real pictures to the training ones.

    Args:
        samples: as `nearest` gives it.
        training: M x H x W x C.
        held_out: real pictures that were not trained on; training pictures, each among the others, if None. Up to 256
            of them, evenly spaced, are looked at.
    """
    if held_out is None:
        probes = _spaced(len(training))
        real = nearest(training[probes], training, k=1, without=probes).distances[:, 0]
    else:
        real = nearest(held_out[_spaced(len(held_out))], training, k=1).distances[:, 0]
    own = samples.distances[:, 0]
    near = float(np.quantile(real, NEAR))
    nearer = int((own < near).sum())
    return Nearness(
        of_samples=float(np.median(own)),
        of_real=float(np.median(real)),
        near=near,
        part=nearer / len(own),
        chance=_at_least(nearer, len(own), NEAR),
    )


def _all_squares(pictures: Pictures, training: Pictures) -> NDArray[np.float64]:
    """Squared distances, N x M, some rows and some columns at a time: large pictures as float64 would fill memory."""
    squares = np.empty((len(pictures), len(training)))
    step = max(1, min(_CHUNK, _CHUNK_NUMBERS // training[0].size))
    for column in range(0, len(training), step):
        others = _flat(training[column : column + step])
        for row in range(0, len(pictures), step):
            squares[row : row + step, column : column + step] = _squares(_flat(pictures[row : row + step]), others)
    return squares


def _flat(pictures: Pictures) -> NDArray[np.float64]:
    return pictures.reshape(len(pictures), -1).astype(np.float64)


def _squares(flat: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances. Levels are whole numbers, whose products float64 adds up exactly: a copy is at 0."""
    return _lengths(flat)[:, np.newaxis] + _lengths(others) - 2 * (flat @ others.T)


def _lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The square of each row's length."""
    return np.einsum("nd,nd->n", rows, rows)


def _spaced(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, PROBES)).round().astype(np.int64))


def _at_least(successes: int, trials: int, probability: float) -> float:
    """P(X >= successes) of a binomial X."""
    return min(1.0, sum(exp(_log_mass(each, trials, probability)) for each in range(successes, trials + 1)))


def _log_mass(successes: int, trials: int, probability: float) -> float:
    failures = trials - successes
    ways = lgamma(trials + 1) - lgamma(successes + 1) - lgamma(failures + 1)
    return ways + successes * log(probability) + failures * log(1 - probability)


def _require_alike(pictures: Pictures, training: Pictures, *, least: int) -> None:
    if pictures.shape[1:] != training.shape[1:]:
        raise PictureError(
            "sizes_differ",
            f"Samples are {_described(pictures)} and training pictures {_described(training)} "
            "(height x width x channels): bring them to one size",
        )
    if len(training) < least:
        raise PictureError(
            "too_few", f"There are {len(training)} training pictures to compare with; give at least {least}"
        )


def _described(pictures: Pictures) -> str:
    return " x ".join(map(str, pictures.shape[1:]))
