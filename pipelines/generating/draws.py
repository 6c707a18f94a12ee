"""Random numbers for one sample at a time: addressed by seed, port and index, never by how many were drawn before.

So sample i is the same whatever the number of samples and the size of the batches. Philox (Salmon et al. 2011,
"Parallel Random Numbers: As Easy as 1, 2, 3") is made for this: key and counter *are* the address.
"""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from translate.card import Label, Latent
from translate.errors import ConfigurationError

_SEEDS = 2**64


def noise(port: Latent, count: int, seed: int) -> NDArray[np.float32]:
    """The noise of samples 0 to count - 1: count x size, from the port's distribution."""
    rows = np.empty((count, port.size), dtype=np.float32)
    for index in range(count):
        rows[index] = _row(port, _generator(seed, port.name, index))
    return rows


def classes(port: Label, count: int, seed: int) -> NDArray[np.int64]:
    """A class at random for each of samples 0 to count - 1."""
    drawn = [_generator(seed, port.name, index).integers(port.classes) for index in range(count)]
    return np.array(drawn, dtype=np.int64)


def require_seed(seed: int) -> None:
    """Raises ConfigurationError for a seed outside 0 to 2^64 - 1."""
    if not 0 <= seed < _SEEDS:
        raise ConfigurationError(f"--seed {seed}: give one from 0 to 2^64 - 1")


def _row(port: Latent, generator: np.random.Generator) -> NDArray[np.float32]:
    if port.distribution == "uniform":
        return generator.uniform(*port.range, port.size).astype(np.float32)
    return generator.standard_normal(port.size, dtype=np.float32)


def _generator(seed: int, port: str, index: int) -> np.random.Generator:
    """The counter's two lower words are the generator's own; the index stands above them."""
    key = np.array([seed, crc32(port.encode())], dtype=np.uint64)
    counter = np.array([0, 0, index, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
