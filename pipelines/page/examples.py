"""Examples one click away: the pictures that ship with a bundle."""

from collections.abc import Sequence
from typing import Final

import gradio as gr

from pipelines.page.controls import Control
from pipelines.page.models import Example, Offer

_MOST: Final = 8


def show_examples(group: Sequence[Offer], controls: Sequence[Control]) -> None:
    """A row of small pictures that fill the uploads, where the bundles have any."""
    uploads = [(control.port.name, _upload(control)) for control in controls]
    there = [(name, upload) for name, upload in uploads if upload is not None]
    every = [example for offer in group for example in offer.examples]
    apart = {example.first.read_bytes(): example for example in reversed(every)}  # models may ship the same picture
    examples = [*reversed(apart.values())][:_MOST]
    if not examples or not there:
        return
    gr.Examples(
        [_row(example, [name for name, _ in there]) for example in examples],
        [upload for _, upload in there],
        label="Or try one of these",
        examples_per_page=_MOST,
        visible_columns=[0],
    )


def _row(example: Example, ports: Sequence[str]) -> list[str | None]:
    others = [example.of(port) for port in ports[1:]]
    return [str(example.first), *(str(path) if path is not None else None for path in others)]


def _upload(control: Control) -> gr.Image | None:
    """The upload of a control, the last of its components."""
    last = control.components[-1]
    return last if isinstance(last, gr.Image) else None
