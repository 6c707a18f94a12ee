"""What every runtime is: a card, and named arrays in, named arrays out."""

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from translate.card import Card

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by port name: float32, or the unsigned integers of pixels where the card says `pixels`."""


class Runtime(Protocol):
    """Runs one model; torch, ONNX Runtime and a fake are interchangeable."""

    @property
    def card(self) -> Card:
        """What goes in and comes out."""
        ...

    @property
    def device(self) -> str:
        """Where it runs, in words."""
        ...

    def run(self, inputs: Arrays) -> Arrays:
        """Outputs by port name for inputs by port name.

        N x C x H x W float32 in [-1, 1], of sizes in the size rule; or, where the card says `pixels`, N x H x W x C
        uint8 of any size (label maps of over 256 classes: uint16). See `translate.runtime.codec`.
        """
        ...
