"""The pipeline of the task `encode`: a picture's numbers (its code, its scores of classes). Imports no torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from translate.card import Card, FixedPicture
from translate.data.pictures import pixels_from_image, read_picture
from translate.errors import ModelError
from translate.runtime.base import Runtime
from translate.runtime.pixels import to_network

Input = Image.Image | str | Path


class Encode:
    """Turns pictures into numbers: `encode(image)` gives the first output of one picture.

    The network takes one size; other pictures are resized to it, bilinearly and, where they shrink, by area.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        (port,) = runtime.card.inputs
        if not isinstance(port, FixedPicture):
            raise ModelError(f"{runtime.card.name} takes a {port.kind.replace('_', ' ')}, so it encodes no pictures")
        self._port = port

    @property
    def card(self) -> Card:
        """What the model does and where it comes from."""
        return self._runtime.card

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        return self._runtime.device

    def __call__(self, image: Input) -> NDArray[np.float32]:
        """The first output for one picture, without the batch axis. Raises PictureError for a file that is refused."""
        return next(iter(self.outputs([image]).values()))[0]

    def outputs(self, images: Sequence[Input]) -> dict[str, NDArray[np.float32]]:
        """Every output by port name, a row a picture."""
        rows = [to_network(self._pixels(image), self._port) for image in images]
        return dict(self._runtime.run({self._port.name: np.concatenate(rows)}))

    def _pixels(self, image: Input) -> NDArray[np.uint8]:
        channels = self._port.channels
        pixels = (
            pixels_from_image(image, channels=channels)
            if isinstance(image, Image.Image)
            else read_picture(image if isinstance(image, Path) else Path(image), channels=channels)
        )
        return resized(pixels, self._port)


def resized(pixels: NDArray[np.uint8], port: FixedPicture) -> NDArray[np.uint8]:
    """H x W x C uint8 in the port's size."""
    size = (port.width_px, port.height_px)
    if pixels.shape[:2] == size[::-1]:
        return pixels
    planes = [Image.fromarray(np.ascontiguousarray(pixels[..., index])) for index in range(pixels.shape[2])]
    return np.stack([np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes], axis=-1)
