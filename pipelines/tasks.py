"""What users hold: one class a task, the same whatever runtime is inside. Imports no torch."""

from typing import Final

from pipelines.encoding import Encode, Reconstruct
from pipelines.generating.generate import Generate
from pipelines.inpainting import Inpaint
from pipelines.inputs import Input
from pipelines.large import Tiles
from pipelines.translation import Translate, Upscale
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

_OTHERS: dict[str, type[Generate] | type[Encode] | type[Reconstruct]] = {
    GENERATE: Generate,
    ENCODE: Encode,
    RECONSTRUCT: Reconstruct,
}


def pipeline_for(runtime: Runtime, tiles: Tiles | None = None) -> Pipeline:
    """The pipeline of a card's task. Raises ModelError for a task that this Pixturn does not know."""
    task = runtime.card.task
    if task in TASKS:
        return TASKS[task](runtime, tiles)
    if task not in _OTHERS:
        known = ", ".join([*TASKS, *_OTHERS])
        raise ModelError(f"{runtime.card.name} is for the task {task!r}; this Pixturn knows {known}")
    return _OTHERS[task](runtime)
