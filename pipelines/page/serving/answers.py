"""What the server says where it says no: a status and plain words; no path, no trace, no version."""

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from pipelines.page.serving.headers import Header, sealed

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_RETRY_STATUSES: Final = (429, 503)
_WORDS: Final = {
    400: "This request is not understood.",
    401: "Log in first.",
    403: "This is not open to visitors.",
    404: "There is nothing here.",
    405: "This cannot be done here.",
    408: "The request took too long to arrive.",
    413: "This is larger than what may be uploaded.",
    415: "This kind of content is not taken.",
    422: "This request is not understood.",
    429: "Too many requests: wait a moment.",
    500: "Something went wrong: try again.",
    503: "The server is busy: try again in a moment.",
    507: "The server's disk space for pictures is full: try again later.",
}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer that says no; `retry_sec` after how long it may be otherwise."""

    status: int
    retry_sec: float | None = None

    async def send(self, send: Send) -> None:
        """Answer with it."""
        body = json.dumps({"detail": _WORDS.get(self.status, _WORDS[400 if self.status < 500 else 500])}).encode()
        await send({"type": "http.response.start", "status": self.status, "headers": self._headers(len(body))})
        await send({"type": "http.response.body", "body": body})

    def _headers(self, length: int) -> list[Header]:
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % length),
            (b"cache-control", b"no-store"),
        ]
        if self.status in _RETRY_STATUSES:
            headers.append((b"retry-after", b"%d" % math.ceil(self.retry_sec or 1)))
        return sealed(headers)
