"""The tab of models that make pictures out of noise; what can be set follows from their cards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr

from pipelines.page.bench import Bench
from pipelines.page.controls import Control, controls_for, given_by
from pipelines.page.jobs import StoppedError
from pipelines.page.models import Offer
from pipelines.page.running import at_work
from pipelines.page.sampling import MOST_SAMPLES, Sampled, Wanted, sample
from pipelines.page.tabs.chooser import chosen, one_for_each_kind
from pipelines.page.tabs.parts import Anew, Update, anew, buttons, on_start, status, told
from pipelines.page.tabs.words import Words
from translate.card import Label, Latent, Port

_PROGRESS: Final = gr.Progress()
_USUAL: Final = 16


def generate_tab(words: Words, offers: Sequence[Offer], bench: Bench) -> None:
    """Put the tab together, within Gradio's blocks."""

    def put(group: Sequence[Offer], chooser: Any) -> None:  # noqa: ANN401 - a component
        _workspace(words, group, chooser, bench)

    one_for_each_kind(offers, put)


@dataclass(frozen=True, kw_only=True)
class _Result:
    """Where samples stand."""

    status: gr.HTML
    gallery: gr.Gallery
    download: gr.DownloadButton
    anew: Anew

    @property
    def components(self) -> list[Any]:
        return [self.status, self.gallery, self.download, *self.anew.components]

    def showing(self, made: Sampled) -> Update:
        return {
            self.status: told(made.told),
            self.gallery: gr.update(value=[(str(path), name) for path, name in made.pictures], visible=True),
            self.download: gr.update(value=made.archive, label=f"Download {made.archive.name}", visible=True),
            **self.anew.showing(made.again),
        }


def _workspace(words: Words, group: Sequence[Offer], chooser: Any, bench: Bench) -> None:  # noqa: ANN401
    ports = group[0].card.inputs
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=300):
            controls = controls_for(ports, bench)
            count = gr.Slider(1, MOST_SAMPLES, value=_USUAL, step=1, label="How many")
            spread = gr.Slider(
                0.2, 1.2, value=1.0, step=0.05, label="Variety", info="Below 1: fewer kinds, often cleaner."
            )
            spread.visible = _is_normal(ports)
            pair = buttons(words.verb)
        with gr.Column(min_width=300):
            result = _result()
    on_start(
        pair,
        _working(group, controls, result, bench),
        bench=bench,
        inputs=[chooser, count, spread, *(each for control in controls for each in control.components)],
        outputs=result.components,
        shown_on=result.status,
    )


def _result() -> _Result:
    gallery = gr.Gallery(
        label="Samples",
        show_label=False,
        columns=4,
        height="auto",
        object_fit="contain",
        interactive=False,
        visible=False,
        format="png",
        elem_classes="samples",
        buttons=["fullscreen"],
    )
    return _Result(
        gallery=gallery,
        status=status("Samples appear here."),
        download=gr.DownloadButton("Download", visible=False, elem_classes="download"),
        anew=anew(),
    )


def _working(
    group: Sequence[Offer], controls: Sequence[Control], result: _Result, bench: Bench
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
                wanted = wanted_of(group[0].card.inputs, given_by(controls, values), n=int(n), spread=float(spread))
                return result.showing(sample(chosen(group, name), wanted, bench, job))
        except StoppedError as stopped:
            return {result.status: told(str(stopped))}

    return work


def wanted_of(ports: Sequence[Port], given: dict[str, Any], *, n: int, spread: float) -> Wanted:
    """What controls gave, by the roles that ports have in a generator: the first latent is the noise, others codes."""
    noise = next((port.name for port in ports if isinstance(port, Latent)), None)
    label = next((port.name for port in ports if isinstance(port, Label)), None)
    rest = {name: value for name, value in given.items() if name not in (noise, label) and value is not None}
    return Wanted(
        n=n,
        seed=given[noise] if noise is not None else 0,
        label=given[label] if label is not None else None,
        codes={name: value if isinstance(value, list) else [value] for name, value in rest.items()},
        spread=spread,
    )


def _is_normal(ports: Sequence[Port]) -> bool:
    return any(isinstance(port, Latent) and port.distribution == "normal" for port in ports)
