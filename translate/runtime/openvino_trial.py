"""The child that tries a model with OpenVINO; in bf16, also how far it is from fp32."""

import sys
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

from translate.card import Card, LabelMap
from translate.errors import ModelError
from translate.runtime.openvino_model import OpenVinoModel
from translate.runtime.synthetic import synthetic_inputs
from translate.runtime.trial import answer

BF16_BAR: Final = 0.1
"""Most that a pixel of a picture may differ from fp32, of [-1, 1]; and the share of pixels of another class."""

_SIDE_PX: Final = 128
_LEVELS: Final = 127.5


def main() -> None:
    """Answer on standard output; argv[2] is what it computes in. See `trial`."""
    import_module("openvino")  # while there are no limits yet
    answer(_bf16 if sys.argv[2] == "bf16" else _fp32)


def _fp32(data: bytes, _card: Card) -> OpenVinoModel:
    return OpenVinoModel(data, "fp32")


def _bf16(data: bytes, card: Card) -> OpenVinoModel:
    model = OpenVinoModel(data, "bf16")
    require_close(difference(_fp32(data, card), model, card))
    return model


def require_close(worst: float) -> None:
    """Raises ModelError for a difference beyond the bar."""
    if not worst <= BF16_BAR:
        raise ModelError(
            f"in bf16 it differs from fp32 by {worst:.3f} of [-1, 1], and {BF16_BAR} is the most; run it in fp32"
        )


def difference(exact: OpenVinoModel, fast: OpenVinoModel, card: Card) -> float:
    """The worst difference over all outputs, on one made-up picture of 128 px."""
    given = synthetic_inputs(card, _SIDE_PX)
    truth, made = exact.run(given), fast.run(given)
    return max(
        _classes(truth[port.name], made[port.name], card)
        if isinstance(port, LabelMap)
        else _pixels(truth[port.name], made[port.name])
        for port in card.outputs
    )


def _pixels(truth: NDArray[np.generic], made: NDArray[np.generic]) -> float:
    """Largest difference of [-1, 1]."""
    scale = 1.0 if truth.dtype.kind == "f" else _LEVELS
    return float(np.abs(truth.astype(np.float64) - made.astype(np.float64)).max() / scale)


def _classes(truth: NDArray[np.generic], made: NDArray[np.generic], card: Card) -> float:
    """Share of the pixels whose class is another one."""
    if not card.pixels:
        truth, made = truth.argmax(axis=1), made.argmax(axis=1)
    return float((truth != made).mean())
