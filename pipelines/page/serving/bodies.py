"""What a visitor sends: so many bytes at most, within so much time, and no addresses to fetch."""

import asyncio
import json
from collections.abc import Callable
from typing import Final, cast

from pipelines.page.serving.answers import Message, Receive, Refusal

_CHUNK_SEC: Final = 15.0
_WHOLE_SEC: Final = 120.0
_ADDRESS_STARTS: Final = ("http:", "https:", "ftp:", "file:", "data:", "//", "\\\\")


class BodyError(Exception):
    """A body that is refused; the guard answers with `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


class Body:
    """Stands in for `receive`: counts bytes and time, and remembers why it refused."""

    def __init__(self, receive: Receive, most_bytes: int) -> None:
        self._receive = receive
        self._left = most_bytes
        self._ends_at = asyncio.get_running_loop().time() + _WHOLE_SEC
        self._complete = False
        self.refusal: Refusal | None = None

    async def __call__(self) -> Message:
        """The next message. Raises BodyError beyond a limit."""
        if self._complete:
            return await self._receive()
        message = await self._next()
        self._left -= len(message.get("body", b""))
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        if self._left < 0:
            raise self._refused(413)
        return message

    async def whole(self) -> bytes:
        """All of it. Raises BodyError."""
        parts: list[bytes] = []
        while not self._complete:
            message = await self()
            if message["type"] != "http.request":
                raise self._refused(400)
            parts.append(message.get("body", b""))
        return b"".join(parts)

    async def _next(self) -> Message:
        left_sec = self._ends_at - asyncio.get_running_loop().time()
        try:
            return await asyncio.wait_for(self._receive(), max(0.0, min(_CHUNK_SEC, left_sec)))
        except TimeoutError:
            raise self._refused(408) from None

    def _refused(self, status: int) -> BodyError:
        self._complete = True
        self.refusal = Refusal(status=status)
        return BodyError(self.refusal)


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read already, and then goes on as before."""
    given = iter([body])

    async def replay() -> Message:
        for whole in given:
            return {"type": "http.request", "body": whole, "more_body": False}
        return await receive()

    return replay


def require_no_addresses(body: bytes) -> None:
    """Gradio fetches a file whose path is an address: no visitor may have the server do so.

    Raises:
        BodyError: 403 for such a path; 422 for what is no JSON.
    """
    try:
        document: object = json.loads(body or b"{}")
        if _any_text_of(document, "path", _is_address):
            raise BodyError(Refusal(status=403))
    except (ValueError, RecursionError):
        raise BodyError(Refusal(status=422)) from None


def _is_address(text: str) -> bool:
    return text.strip().lower().startswith(_ADDRESS_STARTS)


def _any_text_of(document: object, key: str, matches: Callable[[str], bool]) -> bool:
    waiting: list[object] = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            part = cast("dict[str, object]", part)
            text = part.get(key)
            if isinstance(text, str) and matches(text):
                return True
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(cast("list[object]", part))
    return False
