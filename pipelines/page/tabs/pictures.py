"""A tab of models that turn pictures into pictures; everything on it follows from their cards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from pipelines.page.bench import Bench
from pipelines.page.controls import Control, controls_for, given_by
from pipelines.page.examples import show_examples
from pipelines.page.given import GivenMask, GivenPictures
from pipelines.page.jobs import StoppedError
from pipelines.page.models import Offer
from pipelines.page.running import at_work
from pipelines.page.tabs.chooser import chosen, one_for_each_kind
from pipelines.page.tabs.many import many_pictures
from pipelines.page.tabs.options import Options, options_for
from pipelines.page.tabs.parts import Anew, Update, anew, buttons, download, downloading, on_start, status, told
from pipelines.page.tabs.words import Words
from pipelines.page.translating import Translated, translate_one

_PROGRESS: Final = gr.Progress()


def pictures_tab(words: Words, offers: Sequence[Offer], bench: Bench) -> None:
    """Put the tab together, within Gradio's blocks."""

    def put(group: Sequence[Offer], chooser: Any) -> None:  # noqa: ANN401 - a component
        with gr.Tab("One picture"):
            _one_picture(words, group, chooser, bench)
        with gr.Tab("Many pictures"):
            many_pictures(words, group, chooser, bench)

    one_for_each_kind(offers, put)


@dataclass(frozen=True, kw_only=True)
class _Result:
    """Where the result of one picture stands."""

    status: gr.HTML
    slider: gr.ImageSlider
    download: gr.DownloadButton
    more: gr.File
    anew: Anew

    @property
    def components(self) -> list[Any]:
        return [self.status, self.slider, self.download, self.more, *self.anew.components]

    def showing(self, made: Translated) -> Update:
        main, *others = made.files
        return {
            self.status: told(made.told),
            self.slider: gr.update(value=(made.before, made.after), visible=True),
            self.download: downloading(main),
            self.more: gr.update(value=[str(path) for path in others] or None, visible=bool(others)),
            **self.anew.showing(made.again),
        }


def _one_picture(words: Words, group: Sequence[Offer], chooser: Any, bench: Bench) -> None:  # noqa: ANN401
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=300):
            controls = controls_for(group[0].card.inputs, bench)
            options = options_for(group)
            pair = buttons(words.verb)
            show_examples(group, controls)
        with gr.Column(min_width=300):
            result = _result()
    on_start(
        pair,
        _working(group, controls, options, result, bench),
        bench=bench,
        inputs=[chooser, *options.components, *(each for control in controls for each in control.components)],
        outputs=result.components,
        shown_on=result.status,
    )


def _result() -> _Result:
    slider = gr.ImageSlider(
        label="Before and after",
        show_label=False,
        interactive=False,
        visible=False,
        buttons=["fullscreen"],
        max_height=560,
        format="png",
    )
    return _Result(
        slider=slider,
        status=status(),
        download=download(),
        more=gr.File(label="Further files", file_count="multiple", interactive=False, visible=False),
        anew=anew(),
    )


def _working(
    group: Sequence[Offer], controls: Sequence[Control], options: Options, result: _Result, bench: Bench
) -> Callable[..., Update]:
    def work(request: gr.Request, progress: gr.Progress = _PROGRESS, name: str = "", *values: Any) -> Update:  # noqa: ANN401
        count = len(options.components)
        try:
            with at_work(bench, request, progress) as job:
                choice = options.choice(chosen(group, name), values[:count])
                given = pictures_of(given_by(controls, values[count:]))
                return result.showing(translate_one(choice, given, bench, job))
        except StoppedError as stopped:
            return {result.status: told(str(stopped))}

    return work


def pictures_of(given: dict[str, Any]) -> GivenPictures:
    """What controls gave, as files and masks."""
    return GivenPictures(
        files={name: value for name, value in given.items() if isinstance(value, Path)},
        masks={name: value for name, value in given.items() if isinstance(value, GivenMask)},
    )
