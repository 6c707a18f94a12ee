"""From an event of the page to a job: who asked, how far it is, what is told when it fails."""

import logging
import re
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import gradio as gr

from pipelines.page.bench import Bench
from pipelines.page.jobs import Job, StoppedError
from translate.errors import PixturnError

QUEUE: Final = "models"
"""All work waits in one line: models share the machine."""

_UNKNOWN = "Something went wrong here. What it was stands in the log of the one who runs this page."
_NOBODY = ""
_REST: Final = r"[/\\](?:[^/\\\s'\"]+[/\\])*"
"""What follows a folder that is known: a separator, and folders below it whose names have no blanks."""

_FOLDERS: Final = re.compile(
    r"(?<=')(?:[A-Za-z]:)?[/\\][^'\n]*[/\\](?=[^/\\'\n]+')"
    r"|(?<=\")(?:[A-Za-z]:)?[/\\][^\"\n]*[/\\](?=[^/\\\"\n]+\")"
    r"|(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^/\\\s]+[/\\])*(?=\S)|(?:[^/\\\s'\"]+[/\\])+(?=\S+\.onnx)"
)
"""Of a path in quotation marks, of one that begins at the root, and of an .onnx file's: all but the last part."""

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
        raise refused(problem, bench) from None
    except Exception as problem:
        _log.exception("A job of the page failed")
        raise gr.Error(_UNKNOWN, title="", print_exception=False) from problem


def session_of(request: gr.Request | None) -> str:
    """Whose event it is: every open page has a name of its own."""
    return (request.session_hash if request is not None else None) or _NOBODY


def refused(problem: PixturnError, bench: Bench) -> gr.Error:
    """What the visitor is told of it."""
    return gr.Error(without_folders(str(problem), bench.folders), title="", print_exception=False)


def without_folders(words: str, known: Iterable[Path] = ()) -> str:
    """What is said of files, by their names alone: where they lie is no visitor's matter.

    Args:
        words: as they are written in the log.
        known: folders that may be named; only of these can one be told whose name has a blank (but in quotation marks).
    """
    for folder in sorted({str(folder) for folder in known if folder.name}, key=len, reverse=True):
        words = re.sub(rf"(?<![\w.]){re.escape(folder)}{_REST}", "", words)
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
