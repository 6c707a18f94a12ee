"""How far a way's picture may be from the reference's, by its precision."""

from typing import Final

from pipelines.tasks import GENERATE
from translate.card import Card
from translate.export.bars import BARS, Bar
from translate.runtime.openvino_model import Compute
from translate.runtime.openvino_trial import BF16_BAR

_LEVELS_OF_ONE: Final = 127.5
_EXACT: Final = Bar(levels=1.0, mean_levels=0.005)
"""Two engines in fp32 round the same numbers; a value on the edge may fall either way."""


def bar_of(card: Card, compute: Compute) -> Bar:
    """What a way may differ from fp32, in the pixels that come out."""
    if card.task == GENERATE:
        return BARS[card.precision]  # numbers as they come out, which are not rounded to pixels yet
    if compute == "bf16":
        return Bar(levels=BF16_BAR * _LEVELS_OF_ONE)
    if card.precision == "fp32":
        return _EXACT
    bar = BARS[card.precision]
    return Bar(levels=bar.levels, mean_levels=bar.mean_levels, psnr_db=bar.psnr_db)
