"""What tabs are called and say, by the card's word for the task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Words:
    """Title of the tab, its sentence, and what its button says."""

    title: str
    sentence: str
    verb: str


PICTURE_TASKS: Final[Mapping[str, Words]] = {
    "upscale": Words(title="Upscale", sentence="Make a picture larger.", verb="Upscale"),
    "inpaint": Words(title="Inpaint", sentence="Fill what you paint over, or what is beyond the edge.", verb="Fill"),
    "translate": Words(
        title="Translate", sentence="Turn a picture into another one of the same size.", verb="Translate"
    ),
}
"""In the order of the tabs; the tab of a task is there where a model is."""

GENERATE: Final = Words(title="Generate", sentence="Make pictures out of noise.", verb="Generate")

ENCODE: Final = Words(title="Encode", sentence="Read from a picture what a model knows of it.", verb="Read")
RECONSTRUCT: Final = Words(title="Reconstruct", sentence="See what a model keeps of a picture.", verb="Reconstruct")
