"""The pipelines of pictures of one size: their numbers (code, scores of classes), or themselves again. No torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pipelines.holding import HoldsRuntime
from translate.card import FixedPicture, Label
from translate.data.pictures import pixels_from_image, read_picture
from translate.errors import ConfigurationError, ModelError
from translate.runtime.base import Runtime
from translate.runtime.pixels import from_network, to_network

Input = Image.Image | str | Path


class _OnOneSize(HoldsRuntime):
    """Holds a runtime whose first input is a picture of one size."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        port = runtime.card.inputs[0]
        if not isinstance(port, FixedPicture):
            raise ModelError(f"{runtime.card.name} takes a {port.kind.replace('_', ' ')} first, and not a picture")
        self._port = port

    def outputs(self, images: Sequence[Input], *, labels: Sequence[int] = ()) -> dict[str, NDArray[np.float32]]:
        """Every output by port name, a row a picture.

        Args:
            images: of any size; each is resized.
            labels: the class of each, for a model that wants classes.

        Raises:
            PictureError: a file that is refused.
            ConfigurationError: classes that are missing, or given to a model that wants none.
        """
        rows = [to_network(self._pixels(image), self._port) for image in images]
        return dict(self._runtime.run({self._port.name: np.concatenate(rows), **self._labels(labels, len(images))}))

    def _labels(self, labels: Sequence[int], count: int) -> dict[str, NDArray[np.int64]]:
        wanted = [port for port in self.card.inputs if isinstance(port, Label)]
        if len(labels) != count * len(wanted):
            raise ConfigurationError(f"{self.card.name} wants {count * len(wanted)} classes, not {len(labels)}")
        return {port.name: np.array(labels, dtype=np.int64) for port in wanted}

    def _pixels(self, image: Input) -> NDArray[np.uint8]:
        channels = self._port.channels
        pixels = (
            pixels_from_image(image, channels=channels)
            if isinstance(image, Image.Image)
            else read_picture(Path(image), channels=channels)
        )
        return resized(pixels, self._port)


class Encode(_OnOneSize):
    """Turns pictures into numbers: `encode(image)` gives the first output of one picture.

    The network takes one size; of pictures of another shape it sees the middle, as it did in training.
    """

    def __call__(self, image: Input) -> NDArray[np.float32]:
        """The first output for one picture, without the batch axis. Raises PictureError for a file that is refused."""
        return self.outputs([image])[self.card.outputs[0].name][0]


class Reconstruct(_OnOneSize):
    """Gives a picture back as the model remembers it: `reconstruct(image)` is a PIL image of the model's size."""

    def __call__(self, image: Input, *, label: int | None = None) -> Image.Image:
        """What comes back of one picture. Raises as `outputs` does."""
        port = self.card.outputs[0]
        if not isinstance(port, FixedPicture):
            raise ModelError(f"{self.card.name} gives a {port.kind.replace('_', ' ')}, and not a picture")
        made = self.outputs([image], labels=() if label is None else (label,))[port.name]
        pixels = from_network(made, port)
        return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def resized(pixels: NDArray[np.uint8], port: FixedPicture) -> NDArray[np.uint8]:
    """H x W x C uint8 in the port's size: scaled by Pillow's bilinear filter, and cut in the middle."""
    size = (port.width_px, port.height_px)
    if pixels.shape[:2] == size[::-1]:
        return pixels
    planes = [Image.fromarray(np.ascontiguousarray(pixels[..., index])) for index in range(pixels.shape[2])]
    fitted = [ImageOps.fit(plane, size, Image.Resampling.BILINEAR) for plane in planes]
    return np.stack([np.asarray(plane) for plane in fitted], axis=-1)
