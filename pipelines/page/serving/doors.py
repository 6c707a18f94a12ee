"""The checks that a request passes before Gradio sees it, from its first lines alone."""

import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from pipelines.page.serving.answers import Refusal, Scope
from pipelines.page.serving.folder import Folder
from pipelines.page.serving.headers import value_of
from pipelines.page.serving.rates import Rates
from pipelines.page.serving.routes import FILE, UPLOADS, is_open, is_static
from pipelines.page.serving.settings import ServingSettings, is_loopback

_OWN_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_BURST_SEC: Final = 10
_STATIC_TIMES: Final = 50
_LOGINS: Final = 10
_LOGIN_EVERY_SEC: Final = 6
_METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS")


@dataclass(kw_only=True)
class Doors:
    """All checks; `editor` says whether the page has a component that sends what is drawn by itself."""

    settings: ServingSettings
    folder: Folder
    editor: bool = False
    rates: Rates = field(init=False)
    static_rates: Rates = field(init=False)
    login_rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        rate = self.settings.requests_per_second
        self.rates = Rates(per_second=rate, burst=_BURST_SEC * rate, clock=time.monotonic)
        static = _STATIC_TIMES * rate
        self.static_rates = Rates(per_second=static, burst=static, clock=time.monotonic)
        self.login_rates = Rates(per_second=1 / _LOGIN_EVERY_SEC, burst=_LOGINS, clock=time.monotonic)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why a request is turned away at once; None lets it on."""
        return self._by_rate(scope) or self._by_name(scope) or self._by_route(scope) or self._by_size(scope)

    def _by_rate(self, scope: Scope) -> Refusal | None:
        visitor, path = (scope.get("client") or ("unknown",))[0], scope["path"]
        rates = self.static_rates if is_static(path) else self.rates
        wait_sec = rates.wait_for(visitor)
        if scope["method"] == "POST" and path.startswith("/login"):
            wait_sec = max(wait_sec, self.login_rates.wait_for(visitor))
        return Refusal(status=429, retry_sec=wait_sec) if wait_sec > 0 else None

    def _by_name(self, scope: Scope) -> Refusal | None:
        """Another site's page may not use the visitor's browser to reach this one, by whatever name it calls it."""
        host = value_of(scope["headers"], b"host")
        origin = value_of(scope["headers"], b"origin")
        called = _host_of(f"//{host}")
        guarded = is_loopback(self.settings.host) or bool(self.settings.names)
        if guarded and called not in (*_OWN_NAMES, self.settings.host, *self.settings.names):
            return Refusal(status=403)
        foreign = bool(origin) and urlsplit_netloc(origin) != host and _host_of(origin) not in self.settings.names
        return Refusal(status=403) if foreign and scope["method"] == "POST" else None

    def _by_route(self, scope: Scope) -> Refusal | None:
        method, path = scope["method"], scope["path"]
        if method not in _METHODS:
            return Refusal(status=405)
        if not is_open(method, path, editor=self.editor):
            return Refusal(status=404)
        outside = path.startswith(FILE) and not self.folder.holds(path.removeprefix(FILE))
        return Refusal(status=403) if outside else None

    def _by_size(self, scope: Scope) -> Refusal | None:
        if scope["method"] != "POST":
            return None
        stated = value_of(scope["headers"], b"content-length")
        size = int(stated) if stated.isascii() and stated.isdecimal() else self.settings.max_body_bytes
        if size > self.settings.max_body_bytes:
            return Refusal(status=413)
        return Refusal(status=507) if scope["path"] in UPLOADS and not self.folder.takes(size) else None


def urlsplit_netloc(address: str) -> str:
    """Host and port of an address; empty for what is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
