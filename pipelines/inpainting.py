"""The pipelines that fill holes: what a mask marks, what is transparent, or what lies beyond the edges. No torch.

Whatever the model makes, the known pixels of a result are those of the picture, bit by bit; and what the picture has
where it is to be filled never reaches the model.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.inputs import Input, size_px
from pipelines.large import Tiles
from pipelines.masks import LEAST_LEVEL, transparent
from pipelines.translation import Translate
from translate.card import Card, Mask, Picture
from translate.data.headers import HIGHEST_MAX_PIXELS
from translate.errors import ConfigurationError, ModelError, PictureError
from translate.runtime.base import Runtime
from translate.runtime.codec import Made, Pixels

_MID_GREY: Final = np.uint8(128)
_RGB: Final = 3
_FILL: Final = 255

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Margins:
    """How far a picture is to be extended beyond its edges, in pixels."""

    left: int = 0
    right: int = 0
    top: int = 0
    bottom: int = 0

    def __post_init__(self) -> None:
        """Refuse what would cut, or does nothing."""
        widths = (self.left, self.right, self.top, self.bottom)
        if min(widths) < 0 or max(widths) == 0:
            raise ConfigurationError(
                f"A picture cannot be extended by {' '.join(map(str, widths))} px (left, right, top, bottom): give "
                "numbers of 0 or more, and at least one above 0"
            )


class _Filling(Translate):
    """Holds a model that takes a picture and a mask, and gives the picture filled. Raises ModelError for another."""

    def __init__(self, runtime: Runtime, tiles: Tiles | None = None) -> None:
        super().__init__(runtime, tiles)
        self._picture, self._mask, self._filled = _ports(runtime.card)

    def _made(self, samples: Sequence[Mapping[str, Pixels]]) -> list[dict[str, Made]]:
        made = super()._made([self._without_content(sample) for sample in samples])
        return [self._composed(outputs, sample) for outputs, sample in zip(made, samples, strict=True)]

    def _without_content(self, sample: Mapping[str, Pixels]) -> dict[str, Pixels]:
        return {**sample, self._picture.name: np.where(self._is_hole(sample), _MID_GREY, sample[self._picture.name])}

    def _composed(self, outputs: Mapping[str, Made], sample: Mapping[str, Pixels]) -> dict[str, Made]:
        is_hole, known = self._is_hole(sample), sample[self._picture.name]
        if not is_hole.any():
            _log.warning("The mask marks nothing, so there was nothing to fill: the picture comes back as it was")
        return {**outputs, self._filled.name: np.where(is_hole, outputs[self._filled.name], known).astype(np.uint8)}

    def _is_hole(self, sample: Mapping[str, Pixels]) -> NDArray[np.bool_]:
        return sample[self._mask.name] >= LEAST_LEVEL


class Inpaint(_Filling):
    """Fills holes: `inpaint(image, mask)` gives a PIL image of exactly the same size."""

    def __call__(self, image: Input | Mapping[str, Input], mask: Input | None = None) -> Image.Image:
        """Fill what a mask marks.

        Args:
            image: a PIL image, a path, or an array, H x W x C uint8.
            mask: of the same size: a path, a PIL image, or an array, bool or uint8; levels of 128 or more are to be
                filled. None: what is not opaque in the picture.

        Returns:
            The picture, filled. Known pixels are bit-equal to those that went in, once its transparency is composited
            on white.

        Raises:
            PictureError: a file or an array that is refused, a mask of another size, or nothing that is transparent.
        """
        if isinstance(image, Mapping):
            return super().__call__(image)
        if mask is None:
            return self.transparent()(image)
        return super().__call__({self._picture.name: image, self._mask.name: mask})

    def outpaint(self, image: Input, *, left: int = 0, right: int = 0, top: int = 0, bottom: int = 0) -> Image.Image:
        """Extend a picture beyond its edges by so many pixels. Raises as a call, and ConfigurationError."""
        return self.outpainting(Margins(left=left, right=right, top=top, bottom=bottom))(image)

    def outpainting(self, margins: Margins) -> "Outpaint":
        """The same model as a pipeline that extends every picture."""
        return Outpaint(self._runtime, self._tiles, margins=margins)

    def transparent(self) -> "FillTransparent":
        """The same model as a pipeline that fills what is transparent in every picture."""
        return FillTransparent(self._runtime, self._tiles)


class Outpaint(_Filling):
    """Extends pictures beyond their edges; its card takes the picture alone."""

    def __init__(self, runtime: Runtime, tiles: Tiles | None = None, *, margins: Margins) -> None:
        super().__init__(runtime, tiles)
        self._margins = margins

    @property
    def card(self) -> Card:
        """That of the model, without the mask."""
        return replace(self._runtime.card, inputs=(self._picture,))

    def batch(self, images: Sequence[Input | Mapping[str, Input]]) -> list[dict[str, Made]]:
        """As `outputs`, for several pictures of one size."""
        return self._made([self._extended(self._inputs(image)) for image in images])

    def _extended(self, sample: Mapping[str, Pixels]) -> dict[str, Pixels]:
        around = self._margins
        height, width = size_px(sample)
        pixels = (height + around.top + around.bottom) * (width + around.left + around.right)
        if pixels > HIGHEST_MAX_PIXELS:
            raise PictureError("too_many_pixels", f"Extended, the picture would have {pixels / 1e6:.0f} megapixels")
        widths = ((around.top, around.bottom), (around.left, around.right), (0, 0))
        known = np.zeros((height, width, 1), np.uint8)
        return {
            self._picture.name: np.pad(sample[self._picture.name], widths, constant_values=_MID_GREY),
            self._mask.name: np.pad(known, widths, constant_values=_FILL),
        }


class FillTransparent(_Filling):
    """Fills what is transparent; its card takes a picture with alpha alone, and the result is opaque."""

    def __init__(self, runtime: Runtime, tiles: Tiles | None = None) -> None:
        super().__init__(runtime, tiles)
        if self._picture.channels != _RGB:
            raise ConfigurationError(f"{runtime.card.name} takes no colours: give it a mask (--mask)")

    @property
    def card(self) -> Card:
        """That of the model, with RGBA in place of picture and mask."""
        return replace(self._runtime.card, inputs=(replace(self._picture, channels=_RGB + 1),))

    def batch(self, images: Sequence[Input | Mapping[str, Input]]) -> list[dict[str, Made]]:
        """As `outputs`, for several pictures of one size."""
        return self._made([self._split(self._inputs(image)) for image in images])

    def _split(self, sample: Mapping[str, Pixels]) -> dict[str, Pixels]:
        rgba = sample[self._picture.name]
        mask = transparent(rgba[..., _RGB:].astype(np.uint8))
        if not mask.any():
            raise PictureError(
                "nothing_to_fill",
                "The picture has no transparent pixels, so nothing says what to fill: give a mask of its size (--mask)",
            )
        return {self._picture.name: rgba[..., :_RGB], self._mask.name: mask}


def _ports(card: Card) -> tuple[Picture, Mask, Picture]:
    """The picture and the mask that go in, and the picture that comes out."""
    pictures = [port for port in card.inputs if isinstance(port, Picture)]
    masks = [port for port in card.inputs if isinstance(port, Mask)]
    filled = card.outputs[0]
    if len(pictures) != 1 or len(masks) != 1 or len(card.inputs) != 2:
        raise ModelError(f"{card.name} is for the task 'inpaint', but its card has not one picture and one mask")
    if not isinstance(filled, Picture) or filled.channels != pictures[0].channels or card.scale != 1:
        raise ModelError(f"{card.name} is for the task 'inpaint', but does not give the picture back at its size")
    return pictures[0], masks[0], filled
