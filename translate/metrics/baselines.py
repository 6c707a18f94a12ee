"""What a trained model has to beat: answers that need no learning, fitted on the *training* pictures alone.

A baseline turns one picture into another: uint8, H x W x 3 in and out. `fit` takes the inputs and the targets of the
training split, one picture at a time; each says whether it looks at the pairing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, Self, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from translate.errors import ConfigurationError, DatasetError

Pixels = npt.NDArray[np.uint8]
"""A picture: H x W x 3; grey ones (H x W or H x W x 1) are taken as well."""

_Reals = npt.NDArray[np.float64]

_LIGHT_LEVEL = 128
"""Pixels lighter than this are paper, darker ones are lines: halfway, so that smoothed edges split evenly."""


class Baseline(Protocol):
    """A fitted baseline."""

    @property
    def label(self) -> str:
        """What it does, for tables."""
        ...

    def __call__(self, picture: Pixels, /) -> Pixels:
        """The answer for one input picture: H x W x 3."""
        ...


@dataclass(frozen=True)
class Identity:
    """The input itself."""

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return "the input itself"

    def __call__(self, picture: Pixels) -> Pixels:
        """The same picture."""
        return rgb(picture)


@dataclass(frozen=True, eq=False)
class GlobalColourTransfer:
    """One linear map of colours for all pictures, from the statistics of two domains; the pairing is not used.

    It gives the pixels of all inputs together the mean and the covariance of those of the targets, by the map that
    moves colours least (Pitie and Kokaram 2007, "The linear Monge-Kantorovitch linear colour mapping"). On
    satellite and map tiles it came closer to the truth than Reinhard's transfer in Lab
    (L1 38.5 against 38.7, and back 60.9 against 64.6 levels of 255) and than one affine map a channel (41.2 and 64.8):
    the stronger baseline is the honest one.
    """

    matrix: _Reals
    input_mean: _Reals
    target_mean: _Reals

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return "global colour transfer"

    @classmethod
    def fit(cls, inputs: Iterable[Pixels], targets: Iterable[Pixels]) -> Self:
        """Fit on the training pictures of two domains. Raises DatasetError where one is empty."""
        input_mean, input_covariance = _colour_statistics(inputs)
        target_mean, target_covariance = _colour_statistics(targets)
        matrix = _least_moving_map(input_covariance, target_covariance)
        return cls(matrix=matrix, input_mean=input_mean, target_mean=target_mean)

    def __call__(self, picture: Pixels) -> Pixels:
        """The picture with its colours mapped; what leaves the range is clipped."""
        mapped = (rgb(picture) - self.input_mean) @ self.matrix + self.target_mean
        return np.clip(np.rint(mapped), 0, 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class HistogramTransfer:
    """Each channel's levels replaced so that their distribution becomes that of the targets; pairing is not used.

    A monotone map a channel (histogram specification, Gonzalez and Woods, section 3.3). On satellite tiles it comes
    closer to the map than the linear transfer does: the strongest answer here that knows no neighbours.
    """

    levels: npt.NDArray[np.uint8]
    """The new level of each old one, 3 x 256."""

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return "histogram transfer"

    @classmethod
    def fit(cls, inputs: Iterable[Pixels], targets: Iterable[Pixels]) -> Self:
        """Fit on the training pictures of two domains. Raises DatasetError where one is empty."""
        source, target = _cumulative(inputs), _cumulative(targets)
        found = [np.searchsorted(target[channel], source[channel]) for channel in range(3)]
        return cls(levels=np.minimum(np.stack(found), 255).astype(np.uint8))

    def __call__(self, picture: Pixels) -> Pixels:
        """The picture with its levels mapped."""
        colours = rgb(picture)
        return np.stack([self.levels[channel][colours[..., channel]] for channel in range(3)], axis=2)


@dataclass(frozen=True, eq=False)
class ColourInsideLines:
    """For line art: all that the lines enclose gets one colour; the lines and the paper outside stay.

    The colour is that of the training targets inside the lines. The mean gives the smaller perceptual distance (0.180
    against 0.187), the median of each channel the smaller L1 (16.7 against 17.6 levels of 255; the input itself has
    0.247 and 20.8; emoji at 64 px): to claim that a model beats this baseline, beat both.
    """

    colour: _Reals
    statistic: Literal["mean", "median"]

    @property
    def label(self) -> str:
        """What it does, for tables."""
        return f"{self.statistic} colour inside the lines"

    @classmethod
    def fit(
        cls, inputs: Iterable[Pixels], targets: Iterable[Pixels], *, statistic: Literal["mean", "median"] = "mean"
    ) -> Self:
        """Fit on training pairs: the i-th target belongs to the i-th input.

        Raises:
            ConfigurationError: An input and its target differ in size.
            DatasetError: No picture has an inside.
        """
        counts = np.zeros((3, 256), dtype=np.int64)
        for line_art, target in zip(inputs, targets, strict=True):
            counts += _histogram(rgb(target), _fillable(rgb(line_art)))
        if not counts.any():
            raise DatasetError("No line encloses anything in the training inputs: leave this baseline out")
        return cls(colour=_STATISTICS[statistic](counts), statistic=statistic)

    def __call__(self, picture: Pixels) -> Pixels:
        """The line art, coloured; lines are multiplied in, so that their smoothed edges stay smooth."""
        line_art = rgb(picture)
        coloured = np.rint(line_art / 255 * self.colour).astype(np.uint8)
        return np.where(enclosed(line_art)[..., None], coloured, line_art)


def enclosed(line_art: Pixels) -> npt.NDArray[np.bool_]:
    """Where light pixels do not reach the border, H x W: the lines and all that they enclose."""
    light = line_art.mean(axis=2) > _LIGHT_LEVEL
    regions, _ = cast(tuple[npt.NDArray[np.int32], int], ndimage.label(light))
    border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    return ~np.isin(regions, np.setdiff1d(border, [0]))


def _fillable(line_art: Pixels) -> npt.NDArray[np.bool_]:
    return enclosed(line_art) & (line_art.mean(axis=2) > _LIGHT_LEVEL)


def _histogram(picture: Pixels, where: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How often each level occurs, 3 x 256."""
    if picture.shape[:2] != where.shape:
        raise ConfigurationError(
            f"A target of {picture.shape[:2]} px belongs to line art of {where.shape} px: give pairs of one size"
        )
    return np.stack([np.bincount(channel[where], minlength=256) for channel in np.moveaxis(picture, 2, 0)])


def _cumulative(pictures: Iterable[Pixels]) -> _Reals:
    """The share of pixels at or below the middle of each level, 3 x 256."""
    counts = np.zeros((3, 256), dtype=np.int64)
    for picture in pictures:
        counts += _histogram(rgb(picture), np.ones(picture.shape[:2], dtype=np.bool_))
    if not counts.any():
        raise DatasetError("A domain has no training pictures to take colours from: check the training split")
    # The middle of a level's step rather than its end: a domain mapped onto itself must stay as it is.
    return (np.cumsum(counts, axis=1) - counts / 2) / counts.sum(axis=1, keepdims=True)


def _mean_level(counts: npt.NDArray[np.int64]) -> _Reals:
    return counts @ np.arange(256) / counts.sum(axis=1)


def _median_level(counts: npt.NDArray[np.int64]) -> _Reals:
    return np.argmax(np.cumsum(counts, axis=1) * 2 >= counts.sum(axis=1, keepdims=True), axis=1).astype(np.float64)


_STATISTICS = {"mean": _mean_level, "median": _median_level}


def rgb(picture: Pixels) -> Pixels:
    """H x W x 3 of a grey or RGB picture."""
    with_channels = picture if picture.ndim == 3 else picture[..., None]
    if with_channels.ndim != 3 or with_channels.shape[2] not in (1, 3):
        raise ConfigurationError(
            f"A baseline takes grey or RGB pictures, not an array of shape {picture.shape}: "
            "convert the pictures, or score without baselines"
        )
    return np.broadcast_to(with_channels, (*with_channels.shape[:2], 3))


def _colour_statistics(pictures: Iterable[Pixels]) -> tuple[_Reals, _Reals]:
    """Mean and covariance of all pixels of all pictures, one picture in memory at a time."""
    pixels, total, products = 0, np.zeros(3), np.zeros((3, 3))
    for picture in pictures:
        flat = rgb(picture).reshape(-1, 3).astype(np.float64)
        pixels += len(flat)
        total += flat.sum(axis=0)
        products += flat.T @ flat
    if pixels == 0:
        raise DatasetError("A domain has no training pictures to take colours from: check the training split")
    mean = total / pixels
    return mean, products / pixels - np.outer(mean, mean)


def _least_moving_map(source: _Reals, target: _Reals) -> _Reals:
    """The symmetric M with M source M = target. Directions in which the source has no spread stay without."""
    root, inverse_root = _power(source, 0.5), _power(source, -0.5)
    return inverse_root @ _power(root @ target @ root, 0.5) @ inverse_root


def _power(covariance: _Reals, exponent: float) -> _Reals:
    """A power of a symmetric positive semi-definite matrix; numerically empty directions become zero."""
    values, vectors = np.linalg.eigh(covariance)
    filled = values > max(1e-9 * values.max(), 1e-12)
    powers = np.where(filled, np.where(filled, values, 1.0) ** exponent, 0.0)
    return (vectors * powers) @ vectors.T
