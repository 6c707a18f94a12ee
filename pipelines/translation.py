"""The pipelines that turn pictures of any size into others: Translate and Upscale. No torch."""

from collections.abc import Mapping, Sequence

from PIL import Image

from pipelines.holding import HoldsRuntime
from pipelines.inputs import Input, pixels_for, require_one_size, size_px
from pipelines.large import LargePictures, Tiles
from translate.errors import ConfigurationError, PictureError
from translate.runtime.base import Runtime
from translate.runtime.codec import Made, Pixels, codec_for
from translate.runtime.origin import Origin, Traceable


class Translate(HoldsRuntime):
    """Turns a picture into another of exactly the same size.

    `translate(image)` gives a PIL image. A model with several inputs takes a mapping from port names to pictures of
    one size; one with several outputs gives them all by `translate.outputs(image)`. What is too large for memory goes
    through in `tiles`.
    """

    def __init__(self, runtime: Runtime, tiles: Tiles | None = None) -> None:
        super().__init__(runtime)
        self._codec = codec_for(runtime.card)
        self._tiles = tiles or Tiles()
        self._large = LargePictures(runtime, self._tiles)

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
        return self._made([self._inputs(image) for image in images])

    def _made(self, samples: Sequence[Mapping[str, Pixels]]) -> list[dict[str, Made]]:
        """The outputs of samples that have every input of the model."""
        sizes = {size_px(sample) for sample in samples}
        if len(sizes) != 1:
            raise PictureError(
                "sizes_differ", f"The pictures of one batch must have one size (height, width), not {sorted(sizes)}"
            )
        size = sizes.pop()
        if self._large.wants(*size):
            return [self._large.run(sample) for sample in samples]
        if len(samples) > 1 and self._large.are_too_large(*size, count=len(samples)):
            return [each for sample in samples for each in self._made([sample])]
        return self._codec.decode(self._runtime.run(self._codec.encode(samples)), *size)

    def _inputs(self, image: Input | Mapping[str, Input]) -> dict[str, Pixels]:
        ports = self.card.input_pictures
        named = image if isinstance(image, Mapping) else {ports[0].name: image}
        wanted = {port.name for port in ports}
        if set(named) != wanted:
            raise ConfigurationError(f"This model takes the pictures {sorted(wanted)}; given were {sorted(named)}")
        sample = {port.name: pixels_for(named[port.name], port) for port in ports}
        require_one_size(sample)
        return sample


class Upscale(Translate):
    """Turns a picture into a larger one: `card.scale` times as high and as wide."""
