"""How far an exported file may be from the trained network: a bar for each precision, stated here and enforced."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from translate.card import Precision


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The most that a file may differ from the trained network in float32, at every size and batch of the proof.

    Levels are those of 255. What a precision does not promise is left without a bound.
    """

    difference: float = inf
    """Largest difference of one number; pictures lie in [-1, 1]."""
    levels: float = inf
    """Largest difference of one value of a picture, in levels after rounding."""
    mean_levels: float = inf
    """Mean difference, in levels, before rounding."""
    psnr_db: float = 0.0
    """Least peak signal-to-noise ratio; the peak is the whole range, 2."""
    changed: float = 1.0
    """Largest share of values whose level (of pixels whose class) is another one, over all sizes and batches."""
    alone: float = inf
    """Largest difference of one number between a picture that is run alone and in a batch."""


BARS: Final[Mapping[Precision, Bar]] = {
    "fp32": Bar(difference=1e-4, levels=1, changed=0.005, alone=1e-5),
    "fp16": Bar(difference=0.03, levels=4, mean_levels=0.2, psnr_db=60.0, alone=0.02),
    "int8": Bar(mean_levels=4.0, psnr_db=30.0, alone=0.02),
}
"""By the word on the card."""

PIXELS: Final = Bar(levels=1, changed=0.005, alone=1)
"""A graph with pixels baked in, against the same network between the pipeline's own scaling, padding and cropping."""
