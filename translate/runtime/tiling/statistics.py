"""Mean and variance of each channel of a map that is seen tile by tile, as exact as float64 is."""

import numpy as np
from numpy.typing import NDArray


class Moments:
    """Mean and biased variance of each channel.

    Tiles are combined as in Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing
    sample variances", so nothing is lost where the mean is large against the deviation.
    """

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._mean = np.zeros(channels)
        self._squares = np.zeros(channels)

    def add(self, maps: NDArray[np.floating]) -> None:
        """Take in C x H x W places of the map that were not seen before."""
        count = maps[0].size
        means, squares = np.empty_like(self._mean), np.empty_like(self._squares)
        for channel, numbers in enumerate(maps):  # one at a time: in float64 a whole tile would be large
            deviations = numbers.astype(np.float64).ravel()
            means[channel] = deviations.mean()
            deviations -= means[channel]
            deviations *= deviations  # not the dot product: its library would start threads beside those of the network
            squares[channel] = deviations.sum()
        self._combine(count, means, squares)

    def mean(self) -> NDArray[np.float64]:
        """C means."""
        return self._mean

    def variance(self) -> NDArray[np.float64]:
        """C variances: the mean squared deviation, as normalisation layers take it."""
        return self._squares / self._count

    def _combine(self, count: int, means: NDArray[np.float64], squares: NDArray[np.float64]) -> None:
        total = self._count + count
        apart = means - self._mean
        self._mean = self._mean + apart * (count / total)
        self._squares = self._squares + squares + apart**2 * (self._count * count / total)
        self._count = total
