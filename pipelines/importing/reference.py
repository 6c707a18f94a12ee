"""How the most used code base of pix2pix and CycleGAN names the layers of its generators.

https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix, and CUT's variants of it. A generator is one row of numbered
modules (those without weights count too), a U-Net such rows one inside the other. So a layer's name follows from what
stands before it: dropout moves the second convolution of a residual block by one, an anti-aliasing filter what
comes after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["resnet", "unet"]
Norm = Literal["instance", "batch", "none"]

HALVINGS = 2
"""Of a ResNet; a U-Net has as many as it is deep."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A generator of theirs. `size` counts residual blocks or a U-Net's halvings; `width` is their `ngf`.

    `dropout`, `blurs_down` and `blurs_up` are told for a ResNet alone: a U-Net's dropout leaves no trace in its names.
    """

    kind: Kind
    size: int
    norm: Norm
    inputs: int
    outputs: int
    width: int
    dropout: bool = False
    blurs_down: bool = False
    blurs_up: bool = False

    @property
    def name(self) -> str:
        """As they call it: resnet_9blocks, unet_256."""
        return f"resnet_{self.size}blocks" if self.kind == "resnet" else f"unet_{2**self.size}"

    def layers(self) -> list["Layer"]:
        """The convolutions from input to output, each with its norm."""
        return list(_resnet(self)) if self.kind == "resnet" else _unet(self.size)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Names of a convolution and of the norm after it, if it has one."""

    convolution: str
    norm: str | None = None


def _resnet(architecture: Architecture) -> Iterator[Layer]:
    yield _in_row(1)
    place = 4  # border, convolution, norm, activation
    for _ in range(HALVINGS):
        yield _in_row(place)
        place += 3 + architecture.blurs_down
    second = 5 + architecture.dropout
    for block in range(place, place + architecture.size):
        yield _in_row(1, f"model.{block}.conv_block.")
        yield _in_row(second, f"model.{block}.conv_block.")
    place += architecture.size
    for _ in range(HALVINGS):
        place += architecture.blurs_up  # the enlargement stands before its convolution
        yield _in_row(place)
        place += 3
    yield Layer(convolution=f"model.{place + 1}")


def _in_row(place: int, row: str = "model.") -> Layer:
    return Layer(convolution=f"{row}{place}", norm=f"{row}{place + 1}")


def _unet(depth: int) -> list[Layer]:
    """A level is activation, convolution, norm, the level inside, activation, convolution, norm."""
    down, up = [Layer(convolution="model.model.0")], [Layer(convolution="model.model.3")]
    row = "model.model.1.model."
    for _ in range(depth - 2):
        down.append(_in_row(1, row))
        up.append(_in_row(5, row))
        row += "3.model."
    innermost = [Layer(convolution=f"{row}1"), _in_row(3, row)]
    return [*down, *innermost, *reversed(up)]
