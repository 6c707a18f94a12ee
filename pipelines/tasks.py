"""What users hold: one class a task, the same whatever runtime is inside. Imports no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from pipelines.encoding import Encode, Reconstruct
from pipelines.generating.generate import Generate
from pipelines.large import LargePictures, Tiles
from translate.card import Card, LabelMap, Picture, PicturePort
from translate.data.pictures import pixels_from_image, read_label_map, read_picture
from translate.errors import ConfigurationError, ModelError, PictureError
from translate.runtime.base import Runtime
from translate.runtime.codec import Made, Pixels, codec_for
from translate.runtime.origin import Origin, Traceable

Input = Image.Image | str | Path | Pixels
"""A picture as people have it: a PIL image, a path, or uint8 H x W x C (label maps: integers, H x W)."""


class Translate:
    """Turns a picture into another of exactly the same size.

    `translate(image)` gives a PIL image. A model with several inputs takes a mapping from port names to pictures of
    one size; one with several outputs gives them all by `translate.outputs(image)`. What is too large for memory goes
    through in `tiles`.
    """

    def __init__(self, runtime: Runtime, tiles: Tiles | None = None) -> None:
        self._runtime = runtime
        self._codec = codec_for(runtime.card)
        self._large = LargePictures(runtime, tiles or Tiles())

    @property
    def card(self) -> Card:
        """What the model does and where it comes from."""
        return self._runtime.card

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        return self._runtime.device

    @property
    def origin(self) -> Origin | None:
        """The file and the engine behind it, where the runtime says."""
        return self._runtime.origin if isinstance(self._runtime, Traceable) else None

    def __call__(self, image: Input | Mapping[str, Input]) -> Image.Image:
        """Translate one picture, of any size. Raises PictureError for a file or an array that is refused."""
        first = next(iter(self.outputs(image).values()))
        return Image.fromarray(first[..., 0] if first.shape[2] == 1 else first)

    def outputs(self, image: Input | Mapping[str, Input]) -> dict[str, Made]:
        """Every output by port name, H x W x C uint8 (label maps of over 256 classes: uint16)."""
        return self.batch([image])[0]

    def batch(self, images: Sequence[Input | Mapping[str, Input]]) -> list[dict[str, Made]]:
        """As `outputs`, for several pictures of one size that go through the model together."""
        samples = [self._inputs(image) for image in images]
        sizes = {_size(sample) for sample in samples}
        if len(sizes) != 1:
            raise PictureError(
                "sizes_differ", f"The pictures of one batch must have one size (height, width), not {sorted(sizes)}"
            )
        size = sizes.pop()
        if self._large.wants(*size):
            return [self._large.run(sample) for sample in samples]
        if len(samples) > 1 and self._large.are_too_large(*size, count=len(samples)):
            return [self.outputs(sample) for sample in samples]
        return self._codec.decode(self._runtime.run(self._codec.encode(samples)), *size)

    def _inputs(self, image: Input | Mapping[str, Input]) -> dict[str, Pixels]:
        named = image if isinstance(image, Mapping) else {self.card.input_pictures[0].name: image}
        wanted = {port.name for port in self.card.input_pictures}
        if set(named) != wanted:
            raise ConfigurationError(f"This model takes the pictures {sorted(wanted)}; given were {sorted(named)}")
        pixels = {port.name: _pixels(named[port.name], port) for port in self.card.input_pictures}
        sizes = {array.shape[:2] for array in pixels.values()}
        if len(sizes) > 1:
            raise PictureError(
                "sizes_differ", f"The pictures of one sample must have one size (height, width), not {sorted(sizes)}"
            )
        return pixels


class Upscale(Translate):
    """Turns a picture into a larger one: `card.scale` times as high and as wide."""


def _size(sample: Mapping[str, Pixels]) -> tuple[int, int]:
    height, width = next(iter(sample.values())).shape[:2]
    return height, width


def _pixels(image: Input, port: PicturePort) -> Pixels:
    if isinstance(image, str | Path):
        path = Path(image)
        if isinstance(port, LabelMap):
            return read_label_map(path, classes=port.classes)
        return read_picture(path, channels=port.channels)
    if isinstance(image, Image.Image) and isinstance(port, Picture):
        return pixels_from_image(image, channels=port.channels)
    array = np.asarray(image)
    return _labels(array, port) if isinstance(port, LabelMap) else _colours(array, port)


def _colours(array: Pixels, port: Picture) -> Pixels:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != port.channels or array.size == 0:
        raise PictureError(
            "wrong_array",
            f"The array for {port.name!r} is {_described(array)}; give H x W x {port.channels} uint8, or a PIL image",
        )
    return array


def _labels(array: Pixels, port: LabelMap) -> Pixels:
    if array.dtype.kind not in "bui" or array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,)) or not array.size:
        raise PictureError(
            "wrong_array", f"The label map for {port.name!r} is {_described(array)}; give one integer a pixel, H x W"
        )
    if array.min() < 0 or array.max() >= port.classes:
        raise PictureError(
            "label_out_of_range",
            f"The label map for {port.name!r} has labels from {array.min()} to {array.max()}; "
            f"the model knows 0 to {port.classes - 1}",
        )
    return array


def _described(array: Pixels) -> str:
    return f"{' x '.join(map(str, array.shape))} {array.dtype}"


Pipeline = Translate | Generate | Encode | Reconstruct
"""What `load` gives; the card's task decides."""

TRANSLATE: Final = "translate"
GENERATE: Final = "generate"
ENCODE: Final = "encode"
RECONSTRUCT: Final = "reconstruct"

TASKS: dict[str, type[Translate]] = {TRANSLATE: Translate, "upscale": Upscale}
"""The class of each task that takes pictures of any size, by the card's word for it."""

_OTHERS: dict[str, type[Generate] | type[Encode] | type[Reconstruct]] = {
    GENERATE: Generate,
    ENCODE: Encode,
    RECONSTRUCT: Reconstruct,
}


def pipeline_for(runtime: Runtime, tiles: Tiles | None = None) -> Pipeline:
    """The pipeline of a card's task. Raises ModelError for a task that this Pixturn does not know."""
    task = runtime.card.task
    if task in TASKS:
        return TASKS[task](runtime, tiles)
    if task not in _OTHERS:
        known = ", ".join([*TASKS, *_OTHERS])
        raise ModelError(f"{runtime.card.name} is for the task {task!r}; this Pixturn knows {known}")
    return _OTHERS[task](runtime)
