"""The page: a masthead, and a tab for every task that there are models for."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import gradio as gr

from pipelines import tasks
from pipelines.page.api import (
    encode_endpoint,
    other_endpoints,
    picture_endpoint,
    reconstruct_endpoint,
    sample_endpoint,
)
from pipelines.page.bench import Bench
from pipelines.page.controls import has_controls
from pipelines.page.jobs import Jobs
from pipelines.page.models import Offer, Shelf
from pipelines.page.one_size import encodes, reconstructs
from pipelines.page.running import stop
from pipelines.page.sampling import makes_pictures, makes_points
from pipelines.page.serving import Intake
from pipelines.page.tabs.generate import generate_tab
from pipelines.page.tabs.one_size import encode_tab, reconstruct_tab
from pipelines.page.tabs.pictures import pictures_tab
from pipelines.page.tabs.words import ENCODE, GENERATE, PICTURE_TASKS, RECONSTRUCT, Words
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
            for task, tab in _TABS.items():
                if models := [offer for offer in offers if offer.card.task == task]:
                    with gr.Tab(tab.words.title, id=task):
                        tab.put(tab.words, models, bench)
                        tab.endpoint(models, bench)
        other_endpoints(offers, bench)
    blocks.unload(stop(bench))  # who has left waits for nothing
    return blocks


@dataclass(frozen=True, kw_only=True)
class _Tab:
    """What a task has on the page: words, components, an endpoint; and which of its models can be shown there."""

    words: Words
    put: Callable[[Words, Sequence[Offer], Bench], None]
    endpoint: Callable[[Sequence[Offer], Bench], None]
    shows: Callable[[Offer], bool]


def _takes_pictures(offer: Offer) -> bool:
    return offer.card.takes_pictures


def _makes_samples(offer: Offer) -> bool:
    return makes_pictures(offer) or makes_points(offer)


_TABS: Final[Mapping[str, _Tab]] = {
    **{
        task: _Tab(words=words, put=pictures_tab, endpoint=partial(picture_endpoint, task), shows=_takes_pictures)
        for task, words in PICTURE_TASKS.items()
    },
    tasks.GENERATE: _Tab(words=GENERATE, put=generate_tab, endpoint=sample_endpoint, shows=_makes_samples),
    tasks.ENCODE: _Tab(words=ENCODE, put=encode_tab, endpoint=encode_endpoint, shows=encodes),
    tasks.RECONSTRUCT: _Tab(words=RECONSTRUCT, put=reconstruct_tab, endpoint=reconstruct_endpoint, shows=reconstructs),
}
"""In the order of the tabs; the tab of a task is there where a model is."""


def _can_be_shown(offer: Offer) -> bool:
    tab = _TABS.get(offer.card.task)
    if tab is not None and tab.shows(offer) and has_controls(offer.card.inputs):
        return True
    _log.warning("The page has no place for %s, whose task is to %s", offer.name, offer.card.task)
    return False
