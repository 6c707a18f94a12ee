"""What users hold: one class a task, the same whatever runtime is inside. Imports no torch."""

from typing import Final

from pipelines.encoding import Encode, Reconstruct
from pipelines.generating.generate import Generate
from pipelines.inpainting import Inpaint
from pipelines.inputs import Input
from pipelines.large import Tiles
from pipelines.translation import Translate, Upscale
from translate.card import Card
from translate.errors import ModelError
from translate.runtime.base import Runtime

__all__ = [
    "ENCODE",
    "GENERATE",
    "INPAINT",
    "RECONSTRUCT",
    "TASKS",
    "TRANSLATE",
    "UPSCALE",
    "Inpaint",
    "Input",
    "Pipeline",
    "Translate",
    "Upscale",
    "command_for",
    "pipeline_for",
]

Pipeline = Translate | Generate | Encode | Reconstruct
"""What `load` gives; the card's task decides."""

TRANSLATE: Final = "translate"
UPSCALE: Final = "upscale"
INPAINT: Final = "inpaint"
GENERATE: Final = "generate"
ENCODE: Final = "encode"
RECONSTRUCT: Final = "reconstruct"

TASKS: dict[str, type[Translate]] = {TRANSLATE: Translate, UPSCALE: Upscale, INPAINT: Inpaint}
"""The class of each task that takes pictures of any size, by the card's word for it."""

_COMMANDS: Final = {
    UPSCALE: "pixturn upscale {name} PICTURE",
    INPAINT: "pixturn inpaint {name} PICTURE --mask MASK",
    GENERATE: "pixturn generate {name} -o OUT",
    ENCODE: "pipelines.load({name!r})(picture) in Python",
    RECONSTRUCT: "pipelines.load({name!r})(picture) in Python",
}

_OTHERS: dict[str, type[Generate] | type[Encode] | type[Reconstruct]] = {
    GENERATE: Generate,
    ENCODE: Encode,
    RECONSTRUCT: Reconstruct,
}


def command_for(name: str, card: Card) -> str:
    """What to type, or to write in Python, for a model of any task."""
    if card.task == TRANSLATE or card.task not in _COMMANDS:
        pictures = "PICTURE" if len(card.inputs) == 1 else " ".join(port.name.upper() for port in card.inputs)
        return f"pixturn run {name} {pictures} -o OUT"
    return _COMMANDS[card.task].format(name=name)


def pipeline_for(runtime: Runtime, tiles: Tiles | None = None) -> Pipeline:
    """The pipeline of a card's task. Raises ModelError for a task that this Pixturn does not know."""
    task = runtime.card.task
    if task in TASKS:
        return TASKS[task](runtime, tiles)
    if task not in _OTHERS:
        known = ", ".join([*TASKS, *_OTHERS])
        raise ModelError(f"{runtime.card.name} is for the task {task!r}; this Pixturn knows {known}")
    return _OTHERS[task](runtime)
