"""From an event of the page to a job: who asked, how far it is, what is told when it fails."""

import logging
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import gradio as gr

from pipelines.page.bench import Bench
from pipelines.page.jobs import Job, StoppedError
from translate.errors import PixturnError

QUEUE: Final = "models"
"""All work waits in one line: models share the machine."""

_UNKNOWN = "Something went wrong here. What it was stands in the log of the one who runs this page."
_NOBODY = ""
_FOLDERS: Final = re.compile(
    r"(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^/\\\s]+[/\\])*(?=\S)|(?:[^/\\\s'\"]+[/\\])+(?=\S+\.onnx)"
)
"""Of a path that begins at the root, and of an .onnx file's: all but the last part."""

_log = logging.getLogger(__name__)


@contextmanager
def at_work(bench: Bench, request: gr.Request | None, progress: gr.Progress) -> Generator[Job]:
    """A job of the visitor who asked.

    Raises:
        StoppedError: the visitor stopped it.
        gr.Error: in words for the visitor; what was not meant to happen is logged, and not told.
    """
    try:
        with bench.jobs.started(session_of(request), _told_to(progress)) as job:
            yield job
    except (StoppedError, gr.Error):
        raise
    except PixturnError as problem:
        raise gr.Error(without_folders(str(problem)), title="", print_exception=False) from None
    except Exception as problem:
        _log.exception("A job of the page failed")
        raise gr.Error(_UNKNOWN, title="", print_exception=False) from problem


def session_of(request: gr.Request | None) -> str:
    """Whose event it is: every open page has a name of its own."""
    return (request.session_hash if request is not None else None) or _NOBODY


def without_folders(words: str) -> str:
    """What is said of files, by their names alone: where they lie is no visitor's matter."""
    return _FOLDERS.sub("", words)


def stop(bench: Bench) -> Callable[[gr.Request], None]:
    """What ends the visitor's job."""

    def stopping(request: gr.Request) -> None:
        bench.jobs.stop(session_of(request))

    return stopping


def _told_to(progress: gr.Progress) -> Callable[[float | None, str], None]:
    def tell(part: float | None, words: str) -> None:
        progress(part, desc=words)

    return tell
