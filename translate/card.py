"""The contract that travels with weights: what goes in, what comes out, and where the model comes from.

A card is plain data with an exact JSON round trip. It imports the standard library only, since everything
that serves a model reads it, and what serves has no torch.

Ports are *named*; a model may have several inputs and several outputs. Every picture-like port carries numbers
in [-1, 1] (pictures as x / 127.5 - 1; label maps one-hot, 1 where the class is and -1 elsewhere), as NCHW.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
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


Port = Picture | LabelMap
_PORTS: dict[str, type[Picture] | type[LabelMap]] = {kind.kind: kind for kind in (Picture, LabelMap)}


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
    return {"kind": port.kind, **asdict(port)}


def _read_port(document: dict[str, Any]) -> Port:
    values = dict(document)
    kind = _PORTS[values.pop("kind")]
    values["size"] = SizeRule(**values["size"])
    unknown = set(values) - {entry.name for entry in fields(kind)}
    if unknown:
        raise ValueError(f"unknown fields {sorted(unknown)}")
    return kind(**values)
