"""What an export is proven on and shown with: real pictures, or draws of what goes into a generator."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto
from PIL import Image
from rich.console import Console

from pipelines.exporting.proving import BATCH, Proof
from pipelines.exporting.sheet import sheet
from pipelines.generating.generate import Generate, image_of
from pipelines.generating.sheets import grid
from pipelines.generating.show import shown_samples
from pipelines.tasks import GENERATE, TASKS
from translate.card import Card, FixedPicture
from translate.errors import ConfigurationError
from translate.export.fitting import fitted
from translate.export.proof import prove_rows
from translate.export.session import ProtoRuntime
from translate.method import Deploy
from translate.runtime.codec import Sample, codec_for
from translate.runtime.pixels import from_network
from translate.runtime.rows import Rows, stacked
from translate.runtime.torch import TorchRuntime

_SHOWN: Final = 64
_CPU = torch.device("cpu")

Arrays = dict[str, NDArray[Any]]


class Material(Protocol):
    """Proves one deployed network's graphs, and shows what they make."""

    def prove(self, model: ModelProto, card: Card) -> Card:
        """The card with what was measured. Raises ModelError where a bar is broken."""
        ...

    def prove_pixels(self, baked: ModelProto, card: Card, model: ModelProto, unbaked: Card) -> Card:
        """As `prove`, for a graph with pixels baked in. Raises ConfigurationError where that makes no sense."""
        ...

    def calibration(self) -> list[Arrays]:
        """Inputs by port name, to quantise a graph on."""
        ...

    def sheet(self, model: ModelProto, card: Card) -> bytes:
        """What the graph makes, as a PNG."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class OnPictures:
    """Real pictures, for what takes pictures of any size; `usual_px` is the training crop."""

    deploy: Deploy
    card: Card
    samples: Sequence[Sample]
    usual_px: int
    console: Console

    def prove(self, model: ModelProto, card: Card) -> Card:
        """See Material."""
        return self._proof.of_numbers(model, card)

    def prove_pixels(self, baked: ModelProto, card: Card, model: ModelProto, unbaked: Card) -> Card:
        """See Material."""
        return self._proof.of_pixels(baked, card, model, unbaked)

    def calibration(self) -> list[Arrays]:
        """The pictures at the size of the training crops, one a batch."""
        codec, ports, side = codec_for(self.card), self.card.input_pictures, self.usual_px
        return [dict(codec.encode([fitted(sample, ports, side, side)])) for sample in self.samples]

    def sheet(self, model: ModelProto, card: Card) -> bytes:
        """See Material."""
        return sheet(TASKS[card.task](ProtoRuntime(model, card)), self.samples, side_px=self.usual_px)

    @property
    def _proof(self) -> Proof:
        return Proof(deploy=self.deploy, samples=self.samples, usual_px=self.usual_px, console=self.console)


@dataclass(frozen=True, kw_only=True, eq=False)
class OnRows:
    """One row a sample, for what takes noise, classes, points, or pictures of one size."""

    deploy: Deploy
    rows: Sequence[Rows]

    def prove(self, model: ModelProto, card: Card) -> Card:
        """See Material."""
        network = TorchRuntime(self.deploy, card, _CPU)
        batches = (self.rows[:BATCH], self.rows)
        graph = ProtoRuntime(model, card)
        first, rest = (prove_rows(graph, network, batch) for batch in batches)
        return replace(card, parity=first.and_also(rest).figures())

    def prove_pixels(self, baked: ModelProto, card: Card, model: ModelProto, unbaked: Card) -> Card:
        """See Material."""
        raise ConfigurationError("--pixels is for models that take pictures of any size; leave it out")

    def calibration(self) -> list[Arrays]:
        """The rows, one a batch."""
        return [stacked([row]) for row in self.rows]

    def sheet(self, model: ModelProto, card: Card) -> bytes:
        """See Material."""
        if card.task == GENERATE:
            return _png(shown_samples(Generate(ProtoRuntime(model, card)), _SHOWN))
        return _png(self._inputs(card))

    def _inputs(self, card: Card) -> Image.Image:
        """The pictures that go in, where what comes out is no picture."""
        ports = [port for port in card.inputs if isinstance(port, FixedPicture)]
        return grid(image_of(from_network(row[port.name][np.newaxis], port)) for row in self.rows for port in ports)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
