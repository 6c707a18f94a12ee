"""The tab of models that make pictures out of noise; what can be set follows from their cards."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import gradio as gr

from pipelines.page.again import Drawn
from pipelines.page.bench import Bench
from pipelines.page.controls import Control, controls_for, given_by
from pipelines.page.jobs import StoppedError
from pipelines.page.models import Offer
from pipelines.page.running import at_work
from pipelines.page.sampling import (
    MOST_POINTS,
    MOST_SAMPLES,
    makes_pictures,
)
from pipelines.page.tabs.chooser import chosen, one_for_each_kind
from pipelines.page.tabs.parts import Update, buttons, on_start, told
from pipelines.page.tabs.samples import Result, pictures, points
from pipelines.page.tabs.words import Words
from translate.card import Label, Latent, Port

_PROGRESS: Final = gr.Progress()
_USUAL: Final = 16
_USUAL_POINTS: Final = 500
_PLOT_PX: Final = 460
_ACROSS: Final = "x 1"
_UP: Final = "x 2"


def generate_tab(words: Words, offers: Sequence[Offer], bench: Bench) -> None:
    """Put the tab together, within Gradio's blocks."""

    def put(group: Sequence[Offer], chooser: Any) -> None:  # noqa: ANN401 - a component
        _workspace(words, group, chooser, bench)

    one_for_each_kind(offers, put)


def _workspace(words: Words, group: Sequence[Offer], chooser: Any, bench: Bench) -> None:  # noqa: ANN401
    ports, are_pictures = group[0].card.inputs, makes_pictures(group[0])
    most, usual = (MOST_SAMPLES, _USUAL) if are_pictures else (MOST_POINTS, _USUAL_POINTS)
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=300):
            controls = controls_for(ports, bench)
            count = gr.Slider(1, most, value=usual, step=1, label="How many")
            spread = gr.Slider(
                0.2, 1.2, value=1.0, step=0.05, label="Variety", info="Below 1: fewer kinds, often cleaner."
            )
            spread.visible = _is_normal(ports)
            pair = buttons(words.verb)
        with gr.Column(min_width=300):
            result = pictures() if are_pictures else points()
    on_start(
        pair,
        _working(group, controls, result, bench),
        bench=bench,
        inputs=[chooser, count, spread, *(each for control in controls for each in control.components)],
        outputs=result.components,
        shown_on=result.status,
    )


def _working(
    group: Sequence[Offer], controls: Sequence[Control], result: Result, bench: Bench
) -> Callable[..., Update]:
    def work(
        request: gr.Request,
        progress: gr.Progress = _PROGRESS,
        name: str = "",
        n: float = 1,
        spread: float = 1.0,
        *values: Any,  # noqa: ANN401
    ) -> Update:
        try:
            with at_work(bench, request, progress) as job:
                drawn = drawn_by(group[0].card.inputs, given_by(controls, values), n=int(n), spread=float(spread))
                return result.made(chosen(group, name), drawn, bench, job)
        except StoppedError as stopped:
            return {result.status: told(str(stopped))}

    return work


def drawn_by(ports: Sequence[Port], given: dict[str, Any], *, n: int, spread: float) -> Drawn:
    """What controls gave, by the roles that ports have in a generator: the first latent is the noise, others codes."""
    noise = next((port.name for port in ports if isinstance(port, Latent)), None)
    label = next((port.name for port in ports if isinstance(port, Label)), None)
    rest = {name: value for name, value in given.items() if name not in (noise, label) and value is not None}
    return Drawn(
        n=n,
        seed=given[noise] if noise is not None else 0,
        label=given[label] if label is not None else None,
        codes={name: value if isinstance(value, list) else [value] for name, value in rest.items()},
        spread=spread,
    )


def _is_normal(ports: Sequence[Port]) -> bool:
    return any(isinstance(port, Latent) and port.distribution == "normal" for port in ports)
