"""Makes the inputs of whole batches, with draws that are addressed by the photo and never by what was made before."""

from collections.abc import Iterable, Mapping

import numpy as np
from torch import Tensor

from translate.data.domains import Domains, MadePairs
from translate.data.randomness import Purpose, generator

HELD_OUT = 1
"""Beside `IN_TRAINING`, what a photo's input is made for: one that is held out gets the same input for ever."""
IN_TRAINING = 0


class Maker:
    """Completes batches for domains of which something is made; hands on those where nothing is."""

    def __init__(self, domains: Domains, *, seed: int) -> None:
        self._making = domains.making if isinstance(domains, MadePairs) else None
        self._seed = seed

    def __call__(self, tensors: Mapping[str, Tensor], *, position: int) -> Mapping[str, Tensor]:
        """The batch with what is made of it.

        Args:
            tensors: by domain, what the data set holds: N x C x H x W in [-1, 1].
            position: the place in the run of the batch's first sample; with the seed it decides every draw.
        """
        if self._making is None:
            return tensors
        photos = tensors["b"]
        draws = [generator(self._seed, Purpose.MAKING, IN_TRAINING, position + index) for index in range(len(photos))]
        return {"a": self._making.make(photos, draws), **tensors}


def held_out_draws(places: Iterable[int]) -> list[np.random.Generator]:
    """For photos that are scored, by a number of each that never changes: alike in every run, whatever its seed."""
    return [generator(0, Purpose.MAKING, HELD_OUT, place) for place in places]
