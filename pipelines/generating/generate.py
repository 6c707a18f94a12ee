"""The pipeline of the task `generate`: pictures (or points) out of noise, whatever runtime is inside."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from pipelines.generating.classes import Classes
from pipelines.generating.inputs import Given, InputPorts, Inputs
from pipelines.holding import HoldsRuntime
from translate.card import FixedPicture
from translate.errors import ConfigurationError
from translate.runtime.base import Arrays, Runtime
from translate.runtime.pixels import from_network

BATCH = 64
_VISIBLE_CHANNELS = (1, 2, 3, 4)

Advance = Callable[[int, int], None]
"""Told of progress: done, and of how many."""


class Generate(HoldsRuntime):
    """Makes pictures out of noise.

    `generate(16, seed=7)` gives 16 PIL images; `generate.arrays(16)` the numbers, also of models that make points.
    The noise of sample i follows from the seed and i alone, to the last bit: more samples or other batches change no
    sample (but for what a runtime rounds differently in batches of another size).
    """

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self.inputs = InputPorts(runtime.card)

    @property
    def picture(self) -> FixedPicture:
        """The first output that is a picture. Raises ConfigurationError where there is none to look at."""
        for port in self.card.outputs:
            if isinstance(port, FixedPicture) and port.channels in _VISIBLE_CHANNELS:
                return port
        raise ConfigurationError(
            f"{self.card.name} makes numbers, not pictures: use `arrays` (or write an .npz: -o samples.npz)"
        )

    def __call__(
        self,
        n: int = 1,
        *,
        seed: int = 0,
        label: Classes = None,
        codes: Mapping[str, ArrayLike] | None = None,
        latent: ArrayLike | None = None,
        spread: float = 1.0,
        batch: int = BATCH,
    ) -> list[Image.Image]:
        """Make `n` pictures: see `draw` for what can be said of them; `batch` go through the model together."""
        inputs = self.draw(n, seed=seed, label=label, codes=codes, latent=latent, spread=spread)
        return list(self.pictures(inputs, batch=batch))

    def arrays(
        self,
        n: int = 1,
        *,
        seed: int = 0,
        label: Classes = None,
        codes: Mapping[str, ArrayLike] | None = None,
        latent: ArrayLike | None = None,
        spread: float = 1.0,
        batch: int = BATCH,
    ) -> dict[str, NDArray[Any]]:
        """As a call, but every output by port name: pictures N x C x H x W float32 in [-1, 1], vectors N x size."""
        return self.run(self.draw(n, seed=seed, label=label, codes=codes, latent=latent, spread=spread), batch=batch)

    def draw(
        self,
        n: int = 1,
        *,
        seed: int = 0,
        label: Classes = None,
        codes: Mapping[str, ArrayLike] | None = None,
        latent: ArrayLike | None = None,
        spread: float = 1.0,
    ) -> Inputs:
        """What the model is to be given for samples 0 to n - 1.

        Args:
            n: number of samples.
            seed: of all that is drawn, 0 to 2^64 - 1.
            label: one class by number or name; several, which samples have in turn; or None: all classes in turn.
            codes: numbers for further ports by name: one row for all samples, or a row a sample.
            latent: the same for the first latent, instead of noise.
            spread: scales normal noise that is drawn: below 1, less varied and often cleaner pictures.

        Returns:
            An array an input port, one row a sample.

        Raises:
            ConfigurationError: a class or a port is not there, or numbers do not fit their port.
        """
        return self.inputs.draw(n, seed, Given(label=label, codes=codes, latent=latent, spread=spread))

    def run(self, inputs: Arrays, *, batch: int = BATCH, progress: Advance | None = None) -> dict[str, NDArray[Any]]:
        """Every output for inputs as `draw` gives them, by port name."""
        parts = list(self.batches(inputs, batch=batch, progress=progress))
        return {port.name: np.concatenate([part[port.name] for part in parts]) for port in self.card.outputs}

    def pictures(self, inputs: Arrays, *, batch: int = BATCH, progress: Advance | None = None) -> Iterator[Image.Image]:
        """The pictures for inputs as `draw` gives them, one after the other: no more than a batch is held."""
        return (image_of(pixels) for pixels in self.pixels(inputs, batch=batch, progress=progress))

    def pixels(
        self, inputs: Arrays, *, batch: int = BATCH, progress: Advance | None = None
    ) -> Iterator[NDArray[np.uint8]]:
        """As `pictures`, but each H x W x C uint8."""
        port = self.picture
        for outputs in self.batches(inputs, batch=batch, progress=progress):
            numbers = outputs[port.name]
            for index in range(len(numbers)):
                yield from_network(numbers[index : index + 1], port)

    def batches(self, inputs: Arrays, *, batch: int = BATCH, progress: Advance | None = None) -> Iterator[Arrays]:
        """The outputs, batch after batch."""
        if batch < 1:
            raise ConfigurationError(f"--batch {batch}: give at least 1")
        count = len(next(iter(inputs.values())))
        for start in range(0, count, batch):
            yield self._runtime.run({name: rows[start : start + batch] for name, rows in inputs.items()})
            if progress is not None:
                progress(min(count, start + batch), count)


def image_of(pixels: NDArray[np.uint8]) -> Image.Image:
    """H x W x C uint8 (C = 1 to 4) as a PIL image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
