"""Many pictures at once: files in, one archive out, and what failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from pipelines.batch import Failure
from pipelines.page.bench import Bench
from pipelines.page.jobs import StoppedError
from pipelines.page.models import Offer
from pipelines.page.packing import TranslatedMany, translate_many
from pipelines.page.running import at_work
from pipelines.page.tabs.chooser import chosen
from pipelines.page.tabs.options import Options, options_for
from pipelines.page.tabs.parts import Anew, Update, anew, buttons, download, downloading, on_start, status, told
from pipelines.page.tabs.words import Words
from pipelines.page.uploads import described
from translate.card import PicturePort

_PROGRESS: Final = gr.Progress()
_TYPES: Final = [".png", ".jpg", ".jpeg", ".webp"]


@dataclass(frozen=True, kw_only=True)
class _Result:
    """Where the archive and what failed stand."""

    status: gr.HTML
    failed: gr.Dataframe
    download: gr.DownloadButton
    anew: Anew

    @property
    def components(self) -> list[Any]:
        return [self.status, self.failed, self.download, *self.anew.components]

    def showing(self, made: TranslatedMany) -> Update:
        return {
            self.status: told(made.told),
            self.failed: gr.update(value=_rows(made.failures), visible=bool(made.failures)),
            self.download: downloading(made.archive),
            **self.anew.showing(made.again),
        }


def many_pictures(words: Words, group: Sequence[Offer], chooser: Any, bench: Bench) -> None:  # noqa: ANN401
    """Put it together, within Gradio's blocks. One upload for each port; files of one name go together."""
    ports = group[0].card.input_pictures
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=300):
            uploads = _uploads(ports)
            options = options_for(group)
            pair = buttons(f"{words.verb} all")
        with gr.Column(min_width=300):
            result = _result()
    on_start(
        pair,
        _working(group, [port.name for port in ports], options, result, bench),
        bench=bench,
        inputs=[chooser, *options.components, *uploads],
        outputs=result.components,
        shown_on=result.status,
    )


def _uploads(ports: Sequence[PicturePort]) -> list[gr.File]:
    labels = ["Pictures"] if len(ports) == 1 else [f"{described(port)} (the same names in each)" for port in ports]
    return [gr.File(label=label, file_count="multiple", file_types=_TYPES, height=220) for label in labels]


def _result() -> _Result:
    return _Result(
        status=status("An archive with all results appears here."),
        failed=gr.Dataframe(
            headers=["Picture", "Why it failed"], interactive=False, visible=False, wrap=True, label="Failed"
        ),
        download=download(),
        anew=anew(),
    )


def _working(
    group: Sequence[Offer], ports: Sequence[str], options: Options, result: _Result, bench: Bench
) -> Callable[..., Update]:
    def work(request: gr.Request, progress: gr.Progress = _PROGRESS, name: str = "", *values: Any) -> Update:  # noqa: ANN401
        count = len(options.components)
        files = {port: [Path(path) for path in paths or ()] for port, paths in zip(ports, values[count:], strict=True)}
        try:
            with at_work(bench, request, progress) as job:
                choice = options.choice(chosen(group, name), values[:count])
                return result.showing(translate_many(choice, files, bench, job))
        except StoppedError as stopped:
            return {result.status: told(str(stopped))}

    return work


def _rows(failures: Sequence[Failure]) -> list[list[str]]:
    return [[failure.path, failure.message] for failure in failures]
