"""Random numbers that are addressed by what they are for, never by how many were drawn before.

A run that was stopped and resumed, or read by another number of workers, draws the same numbers, since nothing
depends on the past. No global random state is read or written.
"""

import functools
import random
from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a draw is for; draws for two purposes are independent. The numbers are part of a run's reproducibility."""

    ORDER = 1
    PARTNER = 2
    GEOMETRY = 3
    COLOUR = 4
    DEVICE_GEOMETRY = 5
    DEVICE_COLOUR = 6
    MAKING = 7


def generator(seed: int, purpose: Purpose, *address: int) -> np.random.Generator:
    """A fresh generator for one purpose at one address (epoch, index, ...), all of them at least 0."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, *address)))


def python_generator(source: np.random.Generator) -> random.Random:
    """A generator of Python's kind, seeded by a draw from `source`."""
    return random.Random(int(source.integers(2**63)))


def domain_code(domain: str) -> int:
    """The domain's name as a number, to be part of an address."""
    return int.from_bytes(domain.encode(), "big")


@functools.lru_cache(maxsize=8)
def permutation(seed: int, purpose: Purpose, epoch: int, length: int) -> np.ndarray:
    """The numbers 0 to length - 1 in this epoch's order. Remembered, since every sample of an epoch asks for it."""
    order = generator(seed, purpose, epoch).permutation(length)
    order.setflags(write=False)
    return order
