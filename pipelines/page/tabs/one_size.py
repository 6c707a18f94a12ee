"""The tabs of models that take pictures of one size: what they make of one is shown, as numbers or as a picture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import gradio as gr
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.page.bench import Bench
from pipelines.page.controls import Control, controls_for, given_by
from pipelines.page.examples import show_examples
from pipelines.page.jobs import Job, StoppedError
from pipelines.page.models import Offer
from pipelines.page.one_size import Encoded, Reconstructed, Shown, encode_one, reconstruct_one
from pipelines.page.running import at_work
from pipelines.page.tabs.chooser import chosen, one_for_each_kind
from pipelines.page.tabs.parts import Anew, Update, anew, buttons, download, downloading, on_start, status, told
from pipelines.page.tabs.words import Words
from pipelines.page.uploads import described
from translate.card import Card, Label

_PROGRESS: Final = gr.Progress()
_CHART_PX: Final = 230
_SLIDER_PX: Final = 560
_NAMED: Final = 20
"""Bars with names."""


class _Result(Protocol):
    """Where what was made stands."""

    @property
    def status(self) -> gr.HTML:
        """The line that tells what went on."""
        ...

    @property
    def components(self) -> list[Any]:
        """All that changes."""
        ...

    def made(self, offer: Offer, shown: Shown, bench: Bench, job: Job) -> Update:
        """Do the work; gives what to put there. Raises as `pipelines.page.one_size` does."""
        ...


def encode_tab(words: Words, offers: Sequence[Offer], bench: Bench) -> None:
    """Put the tab of models together that turn a picture into numbers, within Gradio's blocks."""
    _tab(words, offers, bench, _charts)


def reconstruct_tab(words: Words, offers: Sequence[Offer], bench: Bench) -> None:
    """Put the tab of models together that give a picture back, within Gradio's blocks."""
    _tab(words, offers, bench, _slider)


def shown_by(card: Card, given: dict[str, Any]) -> Shown:
    """What controls gave: a picture, and a class where the model takes one."""
    label = next((given[port.name] for port in card.inputs if isinstance(port, Label)), None)
    return Shown(picture=given[card.inputs[0].name], label=label)


@dataclass(frozen=True, kw_only=True)
class _Charts:
    """A chart for the numbers of each output port."""

    status: gr.HTML
    charts: dict[str, gr.BarPlot]
    download: gr.DownloadButton
    anew: Anew

    @property
    def components(self) -> list[Any]:
        return [self.status, *self.charts.values(), self.download, *self.anew.components]

    def made(self, offer: Offer, shown: Shown, bench: Bench, job: Job) -> Update:
        return self._showing(encode_one(offer, shown, bench, job))

    def _showing(self, made: Encoded) -> Update:
        bars = {name: _bars(row) for name, row in made.numbers.items()}
        return {
            self.status: told(made.told),
            **{chart: gr.update(value=bars[name], visible=True) for name, chart in self.charts.items()},
            self.download: downloading(made.file),
            **self.anew.showing(made.again),
        }


@dataclass(frozen=True, kw_only=True)
class _Slider:
    """What the model saw and what it gave back, on one another."""

    status: gr.HTML
    slider: gr.ImageSlider
    download: gr.DownloadButton
    anew: Anew

    @property
    def components(self) -> list[Any]:
        return [self.status, self.slider, self.download, *self.anew.components]

    def made(self, offer: Offer, shown: Shown, bench: Bench, job: Job) -> Update:
        return self._showing(reconstruct_one(offer, shown, bench, job))

    def _showing(self, made: Reconstructed) -> Update:
        return {
            self.status: told(made.told),
            self.slider: gr.update(value=(made.before, made.after), visible=True),
            self.download: downloading(made.file),
            **self.anew.showing(made.again),
        }


def _tab(words: Words, offers: Sequence[Offer], bench: Bench, result_of: Callable[[Card], _Result]) -> None:
    def put(group: Sequence[Offer], chooser: Any) -> None:  # noqa: ANN401 - a component
        _workspace(words, group, chooser, bench, result_of)

    one_for_each_kind(offers, put)


def _workspace(
    words: Words,
    group: Sequence[Offer],
    chooser: Any,  # noqa: ANN401
    bench: Bench,
    result_of: Callable[[Card], _Result],
) -> None:
    card = group[0].card
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=300):
            controls = controls_for(card.inputs, bench)
            pair = buttons(words.verb)
            show_examples(group, controls[:1])
        with gr.Column(min_width=300):
            result = result_of(card)
    on_start(
        pair,
        _working(group, controls, result, bench),
        bench=bench,
        inputs=[chooser, *(each for control in controls for each in control.components)],
        outputs=result.components,
        shown_on=result.status,
    )


def _charts(card: Card) -> _Charts:
    line = status("The numbers appear here.")
    charts = {port.name: _chart(described(port)) for port in card.outputs}
    return _Charts(status=line, charts=charts, download=download(), anew=anew())


def _chart(label: str) -> gr.BarPlot:
    return gr.BarPlot(
        x="number",
        y="value",
        title=label,
        x_title="",
        y_title="",
        height=_CHART_PX,
        sort=None,
        visible=False,
        show_label=False,
        buttons=["fullscreen"],
        elem_classes="chart",
    )


def _bars(numbers: NDArray[np.float32]) -> pd.DataFrame:
    """A bar for each number: a few stand beside one another by name, many along an axis."""
    places = range(len(numbers))
    return pd.DataFrame({"number": [*map(str, places)] if len(numbers) <= _NAMED else places, "value": numbers})


def _slider(_: Card) -> _Slider:
    line = status()
    slider = gr.ImageSlider(
        label="Before and after",
        show_label=False,
        interactive=False,
        visible=False,
        buttons=["fullscreen"],
        max_height=_SLIDER_PX,
        format="png",
        elem_classes="small",
    )
    return _Slider(status=line, slider=slider, download=download(), anew=anew())


def _working(
    group: Sequence[Offer], controls: Sequence[Control], result: _Result, bench: Bench
) -> Callable[..., Update]:
    def work(request: gr.Request, progress: gr.Progress = _PROGRESS, name: str = "", *values: Any) -> Update:  # noqa: ANN401
        try:
            with at_work(bench, request, progress) as job:
                shown = shown_by(group[0].card, given_by(controls, values))
                return result.made(chosen(group, name), shown, bench, job)
        except StoppedError as stopped:
            return {result.status: told(str(stopped))}

    return work
