"""What every tab has: the buttons that start and stop, where results stand, and what does the same elsewhere."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from pipelines.page.again import Again
from pipelines.page.bench import Bench
from pipelines.page.running import QUEUE, session_of

Update = dict[Any, Any]
"""New values by component; the others stay."""

WAITING: Final = "The result appears here."


@dataclass(frozen=True, kw_only=True)
class Buttons:
    """Start, and stop while it runs."""

    start: gr.Button
    cancel: gr.Button

    @property
    def both(self) -> list[Any]:
        """The two of them."""
        return [self.start, self.cancel]


@dataclass(frozen=True, kw_only=True)
class Anew:
    """The same from the command line and from Python."""

    box: gr.Accordion
    command: gr.Code
    python: gr.Code

    @property
    def components(self) -> list[Any]:
        """All of them."""
        return [self.box, self.command, self.python]

    def showing(self, again: Again) -> Update:
        """What to put there."""
        return {
            self.box: gr.update(visible=True),
            self.command: gr.update(value=again.command, visible=bool(again.command)),
            self.python: again.python,
        }


def buttons(words: str) -> Buttons:
    """The button that starts, and in its place, the one that stops."""
    return Buttons(
        start=gr.Button(words, variant="primary", size="lg", elem_classes="start"),
        cancel=gr.Button("Cancel", variant="stop", size="lg", visible=False, elem_classes="cancel"),
    )


def status(words: str = WAITING) -> gr.HTML:
    """A line that tells what went on; a quiet place until there is something to tell."""
    return gr.HTML(f"<p class='waiting'>{html.escape(words)}</p>", elem_classes="status", padding=False)


def told(words: str) -> str:
    """A line of words as HTML; screen readers read it out when it changes."""
    return f"<p role='status'>{html.escape(words)}</p>"


def download() -> gr.DownloadButton:
    """The button that gives the file, once there is one."""
    return gr.DownloadButton("Download", visible=False, elem_classes="download")


def downloading(path: Path) -> Any:  # noqa: ANN401 - an update of Gradio's
    """The button with its file."""
    return gr.update(value=path, label=f"Download {path.name}", visible=True)


def anew() -> Anew:
    """Where the same is shown for the command line and for Python, once there is anything."""
    with gr.Accordion("The same from the command line, or in Python", open=False, visible=False) as box:
        command = gr.Code(language="shell", label="Command line", show_line_numbers=False, lines=1, wrap_lines=True)
        python = gr.Code(language="python", label="Python", show_line_numbers=False, lines=3, wrap_lines=True)
    for code in (command, python):
        code.interactive = False
    return Anew(box=box, command=command, python=python)


def on_start(
    pair: Buttons,
    work: Callable[..., Update],
    *,
    bench: Bench,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    shown_on: Any,  # noqa: ANN401 - a component
) -> None:
    """Start `work` by a button, in the one line that all work waits in; meanwhile the button stops it."""
    began = pair.start.click(_swap(running=True), outputs=pair.both, **_QUICK)
    working = began.then(
        work,
        inputs=list(inputs),
        outputs=list(outputs),
        show_progress="full",
        show_progress_on=shown_on,
        concurrency_id=QUEUE,
        concurrency_limit=1,
        api_visibility="private",
    )
    for ended in (working.then, working.failure):  # the first is not there for what failed
        ended(_swap(running=False), outputs=pair.both, **_QUICK)
    # Where it still waits in line, it leaves it.
    pair.cancel.click(_stopping(bench), outputs=[shown_on, *pair.both], cancels=[working], **_QUICK)


_QUICK: Final[dict[str, Any]] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""Of what happens at once, and only here."""


def _swap(*, running: bool) -> Callable[[], list[Any]]:
    """Which of the two buttons is seen."""
    return lambda: [gr.update(visible=not running), gr.update(visible=running)]


def _stopping(bench: Bench) -> Callable[[gr.Request], list[Any]]:
    def stopping(request: gr.Request) -> list[Any]:
        seconds = bench.jobs.stop(session_of(request))
        words = "Stopped before it began." if seconds is None else f"Stopped after {seconds:.1f} s."
        return [told(words), *_swap(running=False)()]

    return stopping
