"""Inputs and outputs that are no pictures of any size but rows, one a sample: noise, classes, points, codes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from translate.card import Card, FixedPicture, Label, LabelMap, Latent, Mask, Picture, Port, Vector
from translate.runtime.base import Arrays

Row = NDArray[Any]
"""What one port takes or gives for one sample: size float32, a single int64, or C x H x W float32 in [-1, 1]."""

Rows = Mapping[str, Row]
"""One sample, by port name."""


def stacked(samples: Sequence[Rows]) -> dict[str, NDArray[Any]]:
    """A batch: the rows of all samples, by port name. Raises ValueError for no samples."""
    return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}


def drawn(ports: Sequence[Port], count: int, *, seed: int) -> list[Rows]:
    """Samples for input ports of these kinds: noise as the port says, classes in turn, and pictures of noise.

    Raises ValueError for a port of pictures of any size, which has no row.
    """
    generator = np.random.default_rng(seed)
    columns = {port.name: _DRAWS[type(port)](port, count, generator) for port in ports}
    return [{name: column[index] for name, column in columns.items()} for index in range(count)]


def row_shape(port: Port) -> tuple[int, ...]:
    """The shape of one sample at a port. Raises ValueError for a port of pictures of any size."""
    return _SHAPES[type(port)](port)


def synthetic_rows(card: Card, count: int) -> Arrays:
    """A batch for trying a model, always the same."""
    return stacked(drawn(card.inputs, count, seed=0))


def _no_row(port: Any, *_: Any) -> Any:  # noqa: ANN401 - it never returns
    raise ValueError(f"{port.name!r} takes pictures of any size: they have no row of one shape")


def _latent(port: Latent, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    draw = generator.standard_normal if port.distribution == "normal" else _uniform(generator)
    return draw((count, port.size)).astype(np.float32)


def _uniform(generator: np.random.Generator) -> Callable[[tuple[int, ...]], NDArray[np.float64]]:
    return lambda shape: generator.uniform(-1.0, 1.0, shape)


def _label(port: Label, count: int, _: np.random.Generator) -> NDArray[np.int64]:
    return np.arange(count, dtype=np.int64) % port.classes


def _vector(port: Vector, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    return generator.standard_normal((count, port.size)).astype(np.float32)


def _picture(port: FixedPicture, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    shape = (count, port.channels, port.height_px, port.width_px)
    return generator.uniform(-1.0, 1.0, shape).astype(np.float32)


_DRAWS: Final[Mapping[type[Port], Callable[[Any, int, np.random.Generator], NDArray[Any]]]] = {
    Latent: _latent,
    Label: _label,
    Vector: _vector,
    FixedPicture: _picture,
    Picture: _no_row,
    LabelMap: _no_row,
    Mask: _no_row,
}
_SHAPES: Final[Mapping[type[Port], Callable[[Any], tuple[int, ...]]]] = {
    Latent: lambda port: (port.size,),
    Label: lambda _: (),
    Vector: lambda port: (port.size,),
    FixedPicture: lambda port: (port.channels, port.height_px, port.width_px),
    Picture: _no_row,
    LabelMap: _no_row,
    Mask: _no_row,
}
