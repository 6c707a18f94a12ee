"""How the page is served: where, for whom, and what a visitor may take up at most."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from translate.errors import ConfigurationError, require

_MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """Where the page is served, and its limits; every limit is finite."""

    host: str = "127.0.0.1"
    """Address to listen on. Any other than this machine's own (127.0.0.1, ::1) needs --login."""

    port: int = 7860
    """Port to listen on; 0 takes a free one."""

    login: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """A text file with one `user:password` a line; the page then asks for them."""

    names: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="NAME ...", help_behavior_hint="(default: the address alone)")
    ] = ()
    """Host names by which the page is known, where a proxy stands before it; requests by other names are refused."""

    max_upload_mb: int = 20
    """The largest file that may be uploaded."""

    max_pixels: int = 40_000_000
    """The most pixels that an uploaded picture may have."""

    max_side_px: int = 16_384
    """The longest side that an uploaded picture may have."""

    queue: int = 16
    """How many jobs may wait; those beyond are told to come back."""

    sessions: int = 64
    """Of how many open pages the server remembers what they did."""

    cache_mb: int = 2_000
    """What uploads and results may take on disk together; beyond it new uploads are refused."""

    scratch_mb: int = 8_000
    """What one large picture may take on disk while it is worked on, by a model that looks at all of it (instance
    norm); larger ones are refused."""

    keep_minutes: int = 60
    """After so long, uploads and results are deleted."""

    requests_per_second: float = 20.0
    """How many requests one visitor may make in the long run; ten seconds' worth may come at once."""

    decoders: int = 2
    """How many child processes decode uploaded pictures."""

    decode_seconds: int = 10
    """How long one picture may take to decode."""

    decode_memory_mb: int = 3_000
    """What a child that decodes may take of memory."""

    open_browser: bool = False
    """Open the page in this machine's browser."""

    def __post_init__(self) -> None:
        positive = "a number above 0"
        require(0 <= self.port <= 65_535, "port", self.port, "0 to 65535")
        require(self.max_upload_mb > 0, "max-upload-mb", self.max_upload_mb, positive)
        require(self.max_pixels > 0, "max-pixels", self.max_pixels, positive)
        require(self.max_side_px > 0, "max-side-px", self.max_side_px, positive)
        require(self.queue > 0, "queue", self.queue, positive)
        require(self.sessions > 0, "sessions", self.sessions, positive)
        require(self.cache_mb > 0, "cache-mb", self.cache_mb, positive)
        require(self.scratch_mb > 0, "scratch-mb", self.scratch_mb, positive)
        require(self.keep_minutes > 0, "keep-minutes", self.keep_minutes, positive)
        require(self.requests_per_second > 0, "requests-per-second", self.requests_per_second, positive)
        require(self.decoders > 0, "decoders", self.decoders, positive)
        require(self.decode_seconds > 0, "decode-seconds", self.decode_seconds, positive)
        require(self.decode_memory_mb > 0, "decode-memory-mb", self.decode_memory_mb, positive)
        if self.login is None and not is_loopback(self.host):
            raise ConfigurationError(
                f"--host {self.host} lets other machines in: give --login with a file of user:password lines"
            )

    @property
    def max_upload_bytes(self) -> int:
        """The largest file that may be uploaded."""
        return self.max_upload_mb * _MEGABYTE

    @property
    def max_body_bytes(self) -> int:
        """The largest request: an upload with what is around it."""
        return self.max_upload_bytes * 6 // 5

    @property
    def cache_bytes(self) -> int:
        """What uploads and results may take on disk together."""
        return self.cache_mb * _MEGABYTE

    @property
    def scratch_bytes(self) -> int:
        """What one picture may take on disk while it is worked on."""
        return self.scratch_mb * _MEGABYTE


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
