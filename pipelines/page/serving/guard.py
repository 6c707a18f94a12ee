"""What stands between visitors and Gradio (plain ASGI).

`Guard` lies inside Gradio's own middleware: it turns away what is not the page's (`doors`), counts what comes in
(`bodies`), keeps how many are served at once below a ceiling, and replaces the words of errors. `Seal` lies around all
of it: no answer leaves without the headers of `headers`.
"""

import errno
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from pipelines.page.serving.answers import App, Message, Receive, Refusal, Scope, Send
from pipelines.page.serving.bodies import Body, BodyError, again, require_no_addresses
from pipelines.page.serving.doors import Doors
from pipelines.page.serving.headers import policy_of, sealed, value_of
from pipelines.page.serving.routes import RAW, is_lasting

_MOST: Final = {"lasting": 256, "sent": 512, "asked": 64}
_MOST_JSON_BYTES: Final = 4_000_000

_log = logging.getLogger(__name__)


class Guard:
    """Turns away, counts, and says no in plain words."""

    def __init__(self, app: App, doors: Doors) -> None:
        self._app = app
        self._doors = doors
        self._counts = dict.fromkeys(_MOST, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        kind = "lasting" if is_lasting(scope["path"]) else "sent" if scope["method"] == "POST" else "asked"
        refusal = self._doors.refusal(scope) or self._crowded(kind)
        if refusal is not None:
            await refusal.send(send)
            return
        with self._counted(kind):
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answer(send)
        is_json = scope["method"] == "POST" and scope["path"] not in RAW
        body = Body(receive, _MOST_JSON_BYTES if is_json else self._doors.settings.max_body_bytes)
        try:
            await self._app(scope, await _checked(body) if is_json else body, answer)
        except BodyError as problem:
            answer.refusal = problem.refusal
        except Exception as problem:
            answer.refusal = _refusal_for(problem, scope["method"])
        await answer.end(body.refusal)

    def _crowded(self, kind: str) -> Refusal | None:
        return Refusal(status=503) if self._counts[kind] >= _MOST[kind] else None

    @contextmanager
    def _counted(self, kind: str) -> Generator[None]:
        self._counts[kind] += 1
        try:
            yield
        finally:
            self._counts[kind] -= 1


def _refusal_for(problem: Exception, method: str) -> Refusal:
    if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal(status=507)
    if method == "POST" and not isinstance(problem, OSError):  # jobs run elsewhere: it stumbled over what was sent
        _log.info("A request was not understood", exc_info=problem)
        return Refusal(status=422)
    _log.error("An answer could not be made", exc_info=problem)
    return Refusal(status=500)


async def _checked(body: Body) -> Receive:
    content = await body.whole()
    require_no_addresses(content)
    return again(content, body)


class Answer:
    """Stands in for `send`: lets good answers pass, pages with their policy, and holds back the words of errors."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        self._page: list[bytes] = []
        self._passes = False
        self.refusal: Refusal | None = None

    async def __call__(self, message: Message) -> None:
        """Take one message of the application."""
        if self._passes:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._begin(message)
        elif self.refusal is None:
            self._page.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._send_page()

    async def end(self, refusal: Refusal | None) -> None:
        """The application has ended; `refusal` is why its body was cut off."""
        final = refusal or self.refusal
        if final is not None and not self._passes:
            self._passes = True
            await final.send(self._send)

    async def _begin(self, start: Message) -> None:
        if start["status"] >= 400:
            self.refusal = Refusal(status=start["status"])
        elif value_of(start["headers"], b"content-type").startswith("text/html"):
            self._held = start
        else:
            self._passes = True
            start["headers"] = sealed(start["headers"])
            await self._send(start)

    async def _send_page(self) -> None:
        if self._held is None:
            return
        page = b"".join(self._page)
        self._passes = True
        self._held["headers"] = sealed(self._held["headers"], policy_of(page))
        await self._send(self._held)
        await self._send({"type": "http.response.body", "body": page})


class Seal:
    """Puts our headers on every answer, also those that are given before `Guard` is asked."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def seal(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = sealed(message["headers"])
            await send(message)

        await self._app(scope, receive, seal if scope["type"] == "http" else send)
