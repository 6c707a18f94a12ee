"""The headers that every answer has: what a browser may do with it, and with the page."""

import base64
import hashlib
import re
from collections.abc import Iterable
from typing import Final

Header = tuple[bytes, bytes]

_SCRIPT: Final = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_ALWAYS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), payment=(), usb=()"),
)
_NOTHING: Final = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
# 'unsafe-eval' is for Gradio: it makes functions of the little scripts that components are given.
_PAGE: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_OURS: Final = {name for name, _ in _ALWAYS} | {b"content-security-policy", b"server"}


def sealed(headers: Iterable[Header], policy: bytes | None = None) -> list[Header]:
    """The headers of an answer with ours put on; `policy` is what the page may load, by default nothing."""
    given = list(headers)
    if policy is None:
        policy = next((value for name, value in given if name.lower() == b"content-security-policy"), _NOTHING)
    kept = [(name, value) for name, value in given if name.lower() not in _OURS]
    return [*kept, *_ALWAYS, (b"content-security-policy", policy)]


def policy_of(html: bytes) -> bytes:
    """What a page may load: itself, and of scripts inside it exactly those that the server wrote there."""
    digests = (hashlib.sha256(script).digest() for script in _SCRIPT.findall(html))
    scripts = " ".join(dict.fromkeys(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests))
    return _PAGE.format(scripts=scripts).encode()


def value_of(headers: Iterable[Header], name: bytes) -> str:
    """The first header of a name, in small letters; empty where there is none."""
    return next((value.decode("latin-1") for key, value in headers if key.lower() == name), "")
