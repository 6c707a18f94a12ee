"""The contract that travels with weights: what goes in, what comes out, and where the model comes from.

A card is plain data with an exact JSON round trip. It imports the standard library only, since everything
that serves a model reads it, and what serves has no torch.

Ports are *named*; a model may have several inputs and several outputs. Every picture-like port carries numbers
in [-1, 1] (pictures as x / 127.5 - 1; label maps one-hot, 1 where the class is and -1 elsewhere), as NCHW. The other
ports have one row a sample.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf, isfinite
from typing import Any, ClassVar, Literal, Self

from translate.errors import ModelError

CARD_VERSION = 1

Tiling = Literal["exact", "whole-picture statistics", "forbidden"]
Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """Sizes that a network takes: multiples of `multiple_of_px`, at least `at_least_px` (height and width)."""

    multiple_of_px: int = 1
    at_least_px: int = 1


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Pixels: `channels` is 1 (grey), 3 (RGB) or 4 (RGBA), or more where pictures are stacked."""

    kind: ClassVar[str] = "picture"
    name: str
    channels: int = 3
    size: SizeRule = field(default_factory=SizeRule)

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers."""
        return -1.0, 1.0


@dataclass(frozen=True, kw_only=True)
class LabelMap:
    """One class of `classes` a pixel; its `channels` are the classes, one-hot."""

    kind: ClassVar[str] = "label_map"
    name: str
    classes: int
    size: SizeRule = field(default_factory=SizeRule)

    @property
    def channels(self) -> int:
        """Channels of the one-hot form."""
        return self.classes

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers."""
        return -1.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Which pixels are to be filled: one channel, above 0 where to fill (levels from 128 on), below 0 what is known."""

    kind: ClassVar[str] = "mask"
    name: str
    size: SizeRule = field(default_factory=SizeRule)

    @property
    def channels(self) -> int:
        """Always one."""
        return 1

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers."""
        return -1.0, 1.0


@dataclass(frozen=True, kw_only=True)
class FixedPicture:
    """Pixels of one size only: what a generator makes out of noise, or an encoder with dense layers takes."""

    kind: ClassVar[str] = "fixed_picture"
    name: str
    channels: int
    height_px: int
    width_px: int

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers."""
        return -1.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Latent:
    """Noise or a code that a generator starts from: N x `size` float32 numbers, each drawn from `distribution`."""

    kind: ClassVar[str] = "latent"
    name: str
    size: int
    distribution: Literal["normal", "uniform"] = "normal"

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers; a normal distribution has no end."""
        return (-inf, inf) if self.distribution == "normal" else (-1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Label:
    """One of `classes` classes a sample: N int64 numbers from 0. `names` are those of the classes, or none."""

    kind: ClassVar[str] = "label"
    name: str
    classes: int
    names: tuple[str, ...] = ()

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers."""
        return 0.0, float(self.classes - 1)


@dataclass(frozen=True, kw_only=True)
class Vector:
    """Plain numbers, N x `size` float32 in units of their own: points, codes, scores of classes."""

    kind: ClassVar[str] = "vector"
    name: str
    size: int

    @property
    def range(self) -> tuple[float, float]:
        """Of its numbers: not bounded."""
        return -inf, inf


PicturePort = Picture | LabelMap | Mask
"""Ports of pictures of many sizes: N x channels x height x width."""
Port = PicturePort | FixedPicture | Latent | Label | Vector
_KINDS: tuple[type[Port], ...] = (Picture, LabelMap, Mask, FixedPicture, Latent, Label, Vector)
_PORTS: dict[str, type[Port]] = {kind.kind: kind for kind in _KINDS}


def picture_ports(ports: Iterable[Port]) -> tuple[PicturePort, ...]:
    """The ports of what is to translate pictures of any size. Raises ModelError for a port of another kind."""
    kept: list[PicturePort] = []
    for port in ports:
        if not isinstance(port, PicturePort):
            raise ModelError(f"{port.name!r} is a {port.kind.replace('_', ' ')}, not a picture of any size")
        kept.append(port)
    return tuple(kept)


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a trained network does and how to feed it.

    `scale` is output size / input size. `tiling` says whether a large picture may be cut into tiles. `metrics` are
    the figures measured when these weights were kept; `data` and `licence` describe what they were trained on.

    An exported file says more: its `precision`; whether it takes and gives `pixels` (uint8, N x H x W x C, of any size,
    where the graph itself scales, pads and crops); and `parity`, the largest differences from the trained network
    that were measured when it was exported, by name.
    """

    task: str
    method: str
    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    scale: int = 1
    tiling: Tiling = "forbidden"
    data: str = ""
    licence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    images_seen: int = 0
    recipe_sha256: str = ""
    precision: Precision = "fp32"
    pixels: bool = False
    parity: Mapping[str, float] = field(default_factory=dict[str, float])
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    card_version: int = CARD_VERSION

    @property
    def takes_pictures(self) -> bool:
        """Whether everything that goes in is a picture of any size."""
        return all(isinstance(port, PicturePort) for port in self.inputs)

    @property
    def input_pictures(self) -> tuple[PicturePort, ...]:
        """The inputs of what takes pictures. Raises ModelError for what takes something else."""
        return picture_ports(self.inputs)

    @property
    def output_pictures(self) -> tuple[PicturePort, ...]:
        """The outputs of what gives pictures of any size. Raises ModelError for what gives something else."""
        return picture_ports(self.outputs)

    def to_json(self) -> str:
        """The card as text; `from_json` gives an equal card back."""
        document = asdict(self)
        document["inputs"] = [_port_document(port) for port in self.inputs]
        document["outputs"] = [_port_document(port) for port in self.outputs]
        return json.dumps(document, indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a card. Raises ModelError for text that is no card, or one of a newer Pixturn."""
        try:
            document = json.loads(text)
            _refuse_newer(document["card_version"])
            document["inputs"] = tuple(_read_port(port) for port in document["inputs"])
            document["outputs"] = tuple(_read_port(port) for port in document["outputs"])
            return cls(**document)
        except (KeyError, TypeError, ValueError) as problem:
            raise ModelError(f"This is not a model card: {problem!r}. Was the file written by Pixturn?") from problem


def _refuse_newer(version: int) -> None:
    if version > CARD_VERSION:
        raise ModelError(
            f"The card has version {version}; this Pixturn reads up to {CARD_VERSION}: pip install -U pixturn"
        )


def _port_document(port: Port) -> dict[str, Any]:
    """With the port's range, for readers in other languages; a side without an end is null."""
    ends = [end if isfinite(end) else None for end in port.range]
    return {"kind": port.kind, **asdict(port), "range": ends}


def _read_port(document: dict[str, Any]) -> Port:
    values = dict(document)
    kind = _PORTS[values.pop("kind")]
    values.pop("range", None)  # follows from the rest
    unknown = set(values) - {entry.name for entry in fields(kind)}
    if unknown:
        raise ValueError(f"unknown fields {sorted(unknown)}")
    if issubclass(kind, PicturePort):
        values["size"] = SizeRule(**values["size"])
    if "names" in values:
        values["names"] = tuple(values["names"])
    return kind(**values)
