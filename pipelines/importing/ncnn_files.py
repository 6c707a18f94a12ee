"""ncnn's two files, `NAME.param` (layers, as text) and `NAME.bin` (their weights), read as layers with tensors.

Nothing in them is code. Only layers that convolutional networks of pictures are made of are known; a file with another
layer is refused, since nobody could say where its weights end. (ncnn's wiki: "param and model file structure".)
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from translate.errors import ModelError
from translate.storage.foreign import Limits

Value = float | tuple[float, ...]

_MAGIC: Final = "7767517"
_FLOAT32, _FLOAT16 = 0, 0x01306B47
_ARRAY_FROM: Final = -23300
"""The parameter `-23300 - i` holds an array for the parameter `i`."""
KINDS: Final = frozenset(
    {"BinaryOp", "Concat", "Convolution", "Eltwise", "Input", "Interp", "PReLU", "PixelShuffle", "Split"}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A line of the file: `values` are its parameters by number, `tensors` its weights by the names of torch."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    values: Mapping[int, Value]
    tensors: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def number(self, key: int, default: float = 0) -> float:
        """A parameter that is one number. Raises ModelError where it is an array."""
        value = self.values.get(key, default)
        if isinstance(value, tuple):
            raise ModelError(f"layer {self.name}: its parameter {key} is an array, not a number")
        return value

    def whole(self, key: int, default: int = 0) -> int:
        """A parameter that is a whole number. Raises ModelError where it is none."""
        value = float(self.number(key, default))
        if not value.is_integer():
            raise ModelError(f"layer {self.name}: its parameter {key} is {value:g}, not a whole number")
        return int(value)


@dataclass(frozen=True, kw_only=True, eq=False)
class NcnnFiles:
    """A network as ncnn stores it, in the order in which it runs, and the SHA-256 of its weights' file."""

    layers: tuple[Layer, ...]
    sha256: str


def read_ncnn(path: Path, *, sha256: str = "", limits: Limits | None = None) -> NcnnFiles:
    """Read `NAME.param` and the `NAME.bin` beside it; weights in 32 or 16 bits.

    Args:
        path: the `.param` file.
        sha256: the hash that the `.bin` file must have, in hexadecimal; "": any.
        limits: sizes above which a file is refused.

    Raises:
        ModelError: a file is missing, too large, damaged, or has layers that are not known here.
    """
    limits, weights = limits or Limits(), path.with_suffix(".bin")
    text, data = _bytes(path, limits.max_pickle_mb), _bytes(weights, limits.max_file_mb)
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256.strip().lower():
        raise ModelError(f"{weights} has the SHA-256 {digest}, not {sha256}: it is damaged, or another file")
    try:
        layers = tuple(_with_weights(_layers(text.decode()), _Weights(data)))
    except ModelError as problem:
        raise ModelError(f"{path}: {problem}") from problem
    except (ValueError, IndexError, RuntimeError) as problem:  # no numbers, short lines, weights of another shape
        raise ModelError(f"{path} is not a .param file of ncnn, or it is damaged: {problem}") from problem
    return NcnnFiles(layers=layers, sha256=digest)


def _bytes(path: Path, most_mb: int) -> bytes:
    try:
        if path.stat().st_size > most_mb * 10**6:
            raise ModelError(f"{path} is larger than {most_mb:,} MB")
        return path.read_bytes()
    except OSError as problem:
        raise ModelError(
            f"{path} cannot be read ({problem.strerror}): a network of ncnn is two files, NAME.param and NAME.bin"
        ) from problem


def _layers(text: str) -> Iterator[Layer]:
    lines = text.split("\n")
    if lines[0].strip() != _MAGIC:
        raise ModelError("it is not a text file of ncnn (ncnn's binary .param.bin cannot be read)")
    count = int(lines[1].split()[0])
    rows = [line.split() for line in lines[2:] if line.strip()]
    if len(rows) != count:
        raise ModelError(f"it has {len(rows)} layers, and should have {count}: the file is damaged")
    for row in rows:
        if row[0] not in KINDS:
            raise ModelError(f"layer {row[1]} is a {row[0]}; known are {', '.join(sorted(KINDS))}")
        inputs, outputs = int(row[2]), int(row[3])
        blobs, rest = row[4 : 4 + inputs + outputs], row[4 + inputs + outputs :]
        yield Layer(
            kind=row[0],
            name=row[1],
            inputs=tuple(blobs[:inputs]),
            outputs=tuple(blobs[inputs:]),
            values=dict(map(_value, rest)),
        )


def _value(word: str) -> tuple[int, Value]:
    key, _, said = word.partition("=")
    if int(key) > _ARRAY_FROM:
        return int(key), float(said)
    count, *numbers = map(float, said.split(","))
    if len(numbers) != count:
        raise ModelError(f"the array {word} does not have as many numbers as it says")
    return _ARRAY_FROM - int(key), tuple(numbers)


class _Weights:
    """The `.bin` file, from its start to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def plain(self, count: int) -> Tensor:
        """The next numbers, in 32 bits."""
        return torch.from_numpy(np.frombuffer(self._take(4 * count), "<f4").astype(np.float32))

    def tagged(self, count: int) -> Tensor:
        """The next numbers, after a word that says in how many bits they are; 16-bit ones fill whole words."""
        kind = int.from_bytes(self._take(4), "little")
        if kind == _FLOAT32:
            return self.plain(count)
        if kind != _FLOAT16:
            raise ModelError("its weights are quantised to 8 bits; give a file in 16 or 32 bits")
        halves = np.frombuffer(self._take(4 * math.ceil(count / 2)), "<f2")
        return torch.from_numpy(halves[:count].astype(np.float32))

    def require_end(self) -> None:
        """Raise ModelError where something is left over."""
        if self._at != len(self._data):
            raise ModelError(f".bin holds {len(self._data) - self._at} bytes more than the layers take")

    def _take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if count < 0 or len(part) != count:
            raise ModelError(f".bin ends at byte {len(self._data)}, before the layers have their weights")
        self._at += count
        return part


def _with_weights(layers: Iterator[Layer], weights: _Weights) -> Iterator[Layer]:
    for layer in layers:
        yield replace(layer, tensors=dict(_tensors(layer, weights)))
    weights.require_end()


def _tensors(layer: Layer, weights: _Weights) -> Iterator[tuple[str, Tensor]]:
    if layer.kind == "PReLU":
        yield "weight", weights.plain(layer.whole(0))
    if layer.kind == "Convolution":
        out, side = layer.whole(0), layer.whole(1)
        yield "weight", weights.tagged(layer.whole(6)).view(out, -1, layer.whole(11, side), side)
        if layer.whole(5):
            yield "bias", weights.plain(out)
