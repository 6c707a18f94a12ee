"""What can be chosen beside the pictures: the format; and between two sets of weights, where there are two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from pipelines.batch.results import Format
from pipelines.page.choices import Choice
from pipelines.page.models import Offer
from pipelines.page.weights import FIDELITY_STEP, MOST_FAITHFUL, stepped

FORMATS: Final[tuple[tuple[str, Format], ...]] = (("PNG", "png"), ("WebP", "webp"), ("JPEG", "jpg"))


@dataclass(frozen=True, kw_only=True)
class Options:
    """The components; `fidelity` is there where models have two sets of weights."""

    file_format: gr.Radio
    fidelity: gr.Slider | None

    @property
    def components(self) -> list[Any]:
        """Those that are there."""
        return [self.file_format] if self.fidelity is None else [self.file_format, self.fidelity]

    def choice(self, offer: Offer, values: Sequence[Any]) -> Choice:
        """What their values say."""
        file_format, *others = values
        fidelity = stepped(float(others[0])) if others else MOST_FAITHFUL
        return Choice(offer=offer, file_format=file_format, fidelity=fidelity)


def options_for(group: Sequence[Offer]) -> Options:
    """To be called where Gradio's blocks are put together."""
    fidelity = None
    if group[0].perceptual is not None:
        fidelity = gr.Slider(
            0,
            1,
            value=MOST_FAITHFUL,
            step=FIDELITY_STEP,
            label="Fidelity",
            info="1: closest to the truth. 0: looks sharpest.",
        )
    file_format = gr.Radio(
        list(FORMATS), value="png", label="Save as", info="PNG and WebP keep every level.", elem_classes="formats"
    )
    return Options(file_format=file_format, fidelity=fidelity)
