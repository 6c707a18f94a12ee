"""How far a way's picture is from the reference's, and whether that is within the bar of its precision."""

from collections.abc import Mapping, Sequence
from typing import Final

from translate.card import Card, PicturePort
from translate.export.agreement import Agreement, compare_numbers
from translate.export.bars import BARS, Bar
from translate.runtime.base import Arrays
from translate.runtime.codec import Made
from translate.runtime.openvino_model import Compute
from translate.runtime.openvino_trial import BF16_BAR
from translate.runtime.pixels import to_network

_LEVELS_OF_ONE: Final = 127.5
_EXACT: Final = Bar(levels=1.0, mean_levels=0.005)
"""Two engines in fp32 round the same numbers; a value on the edge may fall either way."""


def closeness(made: Mapping[str, Made], reference: Mapping[str, Made], card: Card) -> Agreement:
    """Of one picture's outputs by name, H x W x C: the worst of all of them, in levels of 255 and as PSNR."""
    ports: list[PicturePort] = list(card.output_pictures)
    return compare_numbers(_numbers(made, ports), _numbers(reference, ports), ports)


def bar_of(card: Card, compute: Compute) -> Bar:
    """What a way may differ from fp32, in the pixels that come out."""
    if compute == "bf16":
        return Bar(levels=BF16_BAR * _LEVELS_OF_ONE)
    if card.precision == "fp32":
        return _EXACT
    bar = BARS[card.precision]
    return Bar(levels=bar.levels, mean_levels=bar.mean_levels, psnr_db=bar.psnr_db)


def _numbers(outputs: Mapping[str, Made], ports: Sequence[PicturePort]) -> Arrays:
    return {port.name: to_network(outputs[port.name], port) for port in ports}
