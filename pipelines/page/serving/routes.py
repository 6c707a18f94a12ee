"""What a visitor may ask the server for: a list of what the page needs. Everything else is closed.

Gradio has more: it runs other people's apps through itself (`proxy=`), fetches addresses for whoever asks
(`file=http...`), keeps statistics (`monitoring`), records and edits (`process_recording`, `vibe-...`), remembers runs
and links. None of that is the page's.
"""

import re
from typing import Final

_API: Final = "/gradio_api"
_READ: Final = ("GET", "HEAD")
_WORD: Final = r"[A-Za-z0-9_\-]{1,100}"

_READABLE: Final = re.compile(
    r"/|/config/?|/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/login_check/?|/logout"
    r"|/assets/.{1,300}|/static/.{1,300}|/svelte/.{1,300}"
    rf"|{_API}/(?:info/?|theme\.css|queue/data|queue/status|upload_progress|startup-events|login_check/?|app_id/?"
    rf"|user/?|heartbeat/{_WORD}|file=.{{1,2000}}|call/(?:v2/)?{_WORD}/{_WORD})"
)
_POSTABLE: Final = re.compile(
    rf"/login/?|{_API}/(?:queue/join|upload|cancel|reset/?|call/(?:v2/)?{_WORD}/?|(?:run|api)/{_WORD}/?)"
)
_DRAWN: Final = re.compile(rf"{_API}/component_server/?")
_STATIC: Final = re.compile(r"/(?:assets|static|svelte)/|/theme\.css|/favicon\.ico|/manifest\.json")

FILE: Final = f"{_API}/file="

UPLOADS: Final = frozenset({f"{_API}/upload", f"{_API}/component_server", f"{_API}/component_server/"})
"""Where what is sent stays on disk. Exact paths: an endpoint may end like one of them."""

RAW: Final = UPLOADS | {"/login", "/login/"}
"""Where what is sent is no JSON."""


def is_open(method: str, path: str, *, editor: bool) -> bool:
    """Whether the page needs this. `editor`: the page has a component that sends what is drawn by itself."""
    if "\\" in path or "\x00" in path or "/../" in f"{path}/":
        return False
    if method in _READ:
        return _READABLE.fullmatch(path) is not None
    return method == "POST" and (_POSTABLE.fullmatch(path) is not None or (editor and bool(_DRAWN.fullmatch(path))))


def is_static(path: str) -> bool:
    """Whether this is a part of Gradio's own page, of which a browser fetches a hundred at once."""
    return _STATIC.match(path) is not None


def is_lasting(path: str) -> bool:
    """Whether the answer goes on for as long as the visitor stays or a job runs."""
    return path.startswith((f"{_API}/queue/data", f"{_API}/heartbeat/", f"{_API}/upload_progress")) or (
        path.startswith(f"{_API}/call/") and path.count("/") > _API.count("/") + 2
    )
