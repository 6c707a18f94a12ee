"""The page: a masthead, and a tab for every task that there are models for."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import gradio as gr

from pipelines.page.api import other_endpoints, picture_endpoint, sample_endpoint
from pipelines.page.bench import Bench
from pipelines.page.controls import has_controls
from pipelines.page.jobs import Jobs
from pipelines.page.models import Offer, Shelf
from pipelines.page.running import stop
from pipelines.page.sampling import makes_pictures
from pipelines.page.serving import Intake
from pipelines.page.tabs.generate import generate_tab
from pipelines.page.tabs.pictures import pictures_tab
from pipelines.page.tabs.words import GENERATE, PICTURE_TASKS
from pipelines.tasks import GENERATE as GENERATE_TASK
from translate.errors import ModelError
from translate.runtime.onnx import OnnxDevice

TITLE: Final = "Pixturn"

_MASTHEAD: Final = "<h1>Pixturn</h1><p>Turn pictures into other pictures, on this machine.</p>"

_log = logging.getLogger(__name__)


def page_of(offers: Sequence[Offer], *, device: OnnxDevice = "auto") -> Callable[[Intake], gr.Blocks]:
    """What makes the page for these models, once it is known where uploads come in.

    Raises:
        ModelError: none of them can be shown.
    """
    shown = [offer for offer in offers if _can_be_shown(offer)]
    if not shown:
        raise ModelError("None of these models has a place on the page: it shows models that make pictures")
    folders = frozenset(offer.path.parent for offer in shown)
    return lambda intake: build(shown, Bench(intake=intake, shelf=Shelf(device), jobs=Jobs(), models_in=folders))


def build(offers: Sequence[Offer], bench: Bench) -> gr.Blocks:
    """The page as Gradio's blocks."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as blocks:
        with gr.Row(elem_classes="masthead"):
            gr.HTML(_MASTHEAD, padding=False)
            switch = gr.Button("◐", elem_classes="switch", elem_id="light-switch", variant="secondary")
        switch.click(fn=None, js="() => window.pixturnSwitchLight()", api_visibility="private")
        with gr.Tabs(elem_classes="tasks"):
            for task, words in PICTURE_TASKS.items():
                if models := [offer for offer in offers if offer.card.task == task]:
                    with gr.Tab(words.title, id=task):
                        pictures_tab(words, models, bench)
                        picture_endpoint(task, models, bench)
            if models := [offer for offer in offers if offer.card.task == GENERATE_TASK]:
                with gr.Tab(GENERATE.title, id=GENERATE_TASK):
                    generate_tab(GENERATE, models, bench)
                    sample_endpoint(models, bench)
        other_endpoints(offers, bench)
    blocks.unload(stop(bench))  # who has left waits for nothing
    return blocks


def _can_be_shown(offer: Offer) -> bool:
    card = offer.card
    takes = card.takes_pictures if card.task in PICTURE_TASKS else makes_pictures(offer)
    fits = takes and has_controls(card.inputs) and card.task in (*PICTURE_TASKS, GENERATE_TASK)
    if not fits:
        _log.warning("The page has no place for %s, whose task is to %s", offer.name, card.task)
    return fits
