"""What the proof is asked of an export, and from which size on it holds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import torch
from onnx import ModelProto
from rich.console import Console
from rich.status import Status

from translate.card import Card, PicturePort, SizeRule
from translate.errors import ModelError
from translate.export.bars import BARS
from translate.export.proof import Parity, Size, proof_sizes, prove, prove_pixels
from translate.export.session import ProtoRuntime
from translate.method import Deploy
from translate.runtime.codec import Sample
from translate.runtime.padding import padded_size
from translate.runtime.torch import TorchRuntime

BATCH: Final = 3
_GROWTH = 1.5
_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Proof:
    """Compares graphs to one deployed network, on its real pictures; `usual_px` is the training crop."""

    deploy: Deploy
    samples: Sequence[Sample]
    usual_px: int
    console: Console

    def of_numbers(self, model: ModelProto, card: Card) -> Card:
        """The card with what was measured. Raises ModelError where a bar is broken.

        Statistics over a map of few pixels make rounding loud: at its least size a network may differ from itself by
        more than the bar, whoever computes it. The card then states the least size from which the bar holds, and
        smaller pictures are padded up to that.
        """
        with self.console.status("Proving ...") as status:
            card, least = self._from_least(model, card, status)
            sizes = _told(proof_sizes(card.input_pictures[0].size, self.usual_px)[1:], "Proving", status)
            rest = prove(ProtoRuntime(model, card), self._network(card), self._batch, sizes)
        return replace(card, parity=least.and_also(rest).figures())

    def of_pixels(self, baked: ModelProto, card: Card, model: ModelProto, unbaked: Card) -> Card:
        """As `of_numbers`, for a graph with pixels baked in: its bytes against those of the pipeline.

        In float32 the pipeline runs the network itself; else the graph that was proven, since the precision's own
        difference is not that of the pixels.
        """
        network = self._network(unbaked) if card.precision == "fp32" else ProtoRuntime(model, unbaked)
        rule = unbaked.input_pictures[0].size
        smaller = (ceil(rule.at_least_px / 3), ceil(rule.at_least_px / 2))
        with self.console.status("Proving the pixels ...") as status:
            sizes = _told((smaller, *proof_sizes(rule, self.usual_px)), "Proving the pixels", status)
            parity = prove_pixels(ProtoRuntime(baked, card), network, self._batch, sizes)
        measured = {f"pixels_{name}": parity.figures()[name] for name in ("levels", "changed", "alone")}
        return replace(card, parity={**unbaked.parity, **measured})

    @property
    def _batch(self) -> list[Sample]:
        """Three pictures; the same again where there are fewer."""
        return [self.samples[index % len(self.samples)] for index in range(BATCH)]

    def _network(self, card: Card) -> TorchRuntime:
        return TorchRuntime(self.deploy, card, _CPU)

    def _from_least(self, model: ModelProto, card: Card, status: Status) -> tuple[Card, Parity]:
        # A share of the few values there says little.
        bar, first = replace(BARS[card.precision], changed=1.0), None
        for least_px in least_sizes(card.input_pictures[0].size, self.usual_px):
            stated = with_least(card, least_px)
            sizes = _told([(least_px, least_px)], "Proving the least size", status)
            try:
                return stated, prove(ProtoRuntime(model, stated), self._network(stated), self._batch, sizes, bar=bar)
            except ModelError as problem:
                # Without its traceback, which would keep every array of the trial in memory.
                first = first or problem.with_traceback(None)
        raise first or ModelError("there is no size to prove")


def _told(sizes: Iterable[Size], what: str, status: Status) -> Iterator[Size]:
    """The sizes, each told as it comes. A bar of its own would outlive a proof that stops half-way."""
    for height, width in sizes:
        status.update(f"{what} at {height} x {width} px ...")
        yield height, width


def least_sizes(rule: SizeRule, usual_px: int) -> list[int]:
    """Sides in the rule from the least one to the training crop's, half as much again each time."""
    side = padded_size(1, 1, rule)[0]
    sides = [side]
    while (side := padded_size(ceil(side * _GROWTH), 1, rule)[0]) <= usual_px:
        sides.append(side)
    return sides


def with_least(card: Card, least_px: int) -> Card:
    """The card for sizes from `least_px` on."""
    return replace(
        card,
        inputs=tuple(_at_least(port, least_px) for port in card.input_pictures),
        outputs=tuple(_at_least(port, least_px) for port in card.output_pictures),
    )


def _at_least(port: PicturePort, least_px: int) -> PicturePort:
    return replace(port, size=replace(port.size, at_least_px=max(port.size.at_least_px, least_px)))
