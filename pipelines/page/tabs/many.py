"""Many pictures at once: files in, one archive out, and what failed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import gradio as gr

from pipelines.batch import Failure
from pipelines.page.bench import Bench
from pipelines.page.jobs import StoppedError
from pipelines.page.models import Offer
from pipelines.page.packing import translate_many
from pipelines.page.running import at_work
from pipelines.page.tabs.chooser import chosen
from pipelines.page.tabs.options import Options, options_for
from pipelines.page.tabs.parts import Anew, Update, anew, buttons, on_start, status, told
from pipelines.page.tabs.words import Words
from pipelines.page.uploads import described

_PROGRESS: Final = gr.Progress()
_TYPES: Final = [".png", ".jpg", ".jpeg", ".webp"]


def many_pictures(words: Words, group: Sequence[Offer], chooser: Any, bench: Bench) -> None:  # noqa: ANN401
    """Put it together, within Gradio's blocks. One upload for each port; files of one name go together."""
    ports = group[0].card.input_pictures
    with gr.Row(elem_classes="workspace"):
        with gr.Column(min_width=300):
            uploads = [
                gr.File(
                    label="Pictures" if len(ports) == 1 else f"{described(port)} (the same names in each)",
                    file_count="multiple",
                    file_types=_TYPES,
                    height=220,
                )
                for port in ports
            ]
            options = options_for(group)
            pair = buttons(f"{words.verb} all")
        with gr.Column(min_width=300):
            line = status("An archive with all results appears here.")
            failed = gr.Dataframe(
                headers=["Picture", "Why it failed"], interactive=False, visible=False, wrap=True, label="Failed"
            )
            download = gr.DownloadButton("Download", visible=False, elem_classes="download")
            again = anew()
    on_start(
        pair,
        _working(group, [port.name for port in ports], options, (line, failed, download, again), bench),
        bench=bench,
        inputs=[chooser, *options.components, *uploads],
        outputs=[line, failed, download, *again.components],
        shown_on=line,
    )


def _working(
    group: Sequence[Offer],
    ports: Sequence[str],
    options: Options,
    result: tuple[gr.HTML, gr.Dataframe, gr.DownloadButton, Anew],
    bench: Bench,
) -> Callable[..., Update]:
    line, failed, download, again = result

    def work(request: gr.Request, progress: gr.Progress = _PROGRESS, name: str = "", *values: Any) -> Update:  # noqa: ANN401
        count = len(options.components)
        files = {port: [Path(path) for path in paths or ()] for port, paths in zip(ports, values[count:], strict=True)}
        try:
            with at_work(bench, request, progress) as job:
                made = translate_many(options.choice(chosen(group, name), values[:count]), files, bench, job)
        except StoppedError as stopped:
            return {line: told(str(stopped))}
        return {
            line: told(made.told),
            failed: gr.update(value=_rows(made.failures), visible=bool(made.failures)),
            download: gr.update(value=made.archive, label=f"Download {made.archive.name}", visible=True),
            **again.showing(made.again),
        }

    return work


def _rows(failures: Sequence[Failure]) -> list[list[str]]:
    return [[failure.path, failure.message] for failure in failures]
