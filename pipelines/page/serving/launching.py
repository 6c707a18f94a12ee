"""Gradio's own `launch`, with every setting that keeps the page to itself.

Never mounted inside another application: a mounted one leaves out checks of paths that a launched one makes.
"""

import socket
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.page.serving.doors import Doors
from pipelines.page.serving.guard import Guard, Seal
from pipelines.page.serving.intake import Intake
from pipelines.page.serving.login import login_from
from pipelines.page.serving.patience import impatient
from pipelines.page.serving.settings import ServingSettings
from pipelines.page.serving.surroundings import few_formats, own_environment
from translate.errors import ConfigurationError

if TYPE_CHECKING:
    import gradio as gr
    from starlette.applications import Starlette

_SWEEP_SEC: Final = 600
_THREADS: Final = 8
_KEEP_ALIVE_SEC: Final = 5
_LOGIN_WORDS: Final = "This page is for people who have a password."


@dataclass(frozen=True, kw_only=True)
class Look:
    """What Gradio's `launch` is told of how the page looks."""

    theme: "gr.Theme | None" = None
    css: str | None = None
    js: str | None = None
    """A function that runs once the page is there. A script in the page's head would not: its policy has no room."""

    favicon: Path | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Served:
    """A page that is being served."""

    url: str
    blocks: "gr.Blocks"
    _open: ExitStack
    _ended: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Until somebody closes it, or Ctrl-C (KeyboardInterrupt)."""
        self._ended.wait()

    def close(self) -> None:
        """Stop serving, end the children, delete uploads and results."""
        self._ended.set()
        self._open.close()


def launch(
    build: "Callable[[Intake], gr.Blocks]",
    settings: ServingSettings,
    *,
    look: Look | None = None,
    block: bool = True,
) -> Served:
    """Serve a page.

    Args:
        build: Makes the page; its queue and its cache are set here.
        settings: Where, and what visitors may take up.
        look: How it looks.
        block: Return only after it has been stopped (Ctrl-C), and closed; otherwise at once.

    Raises:
        ConfigurationError: The login file, the address or the port cannot be used.
    """
    served = _served(build, settings, look or Look())
    if block:
        try:
            served.wait()
        finally:
            served.close()
    return served


def _served(build: "Callable[[Intake], gr.Blocks]", settings: ServingSettings, look: Look) -> Served:
    login = login_from(settings.login) if settings.login else None
    with ExitStack() as stack:
        intake = Intake.of(settings)
        stack.callback(intake.close)
        stack.enter_context(own_environment(intake.folder.path))
        stack.enter_context(few_formats(settings.max_pixels))
        blocks = build(intake)
        doors = Doors(settings=settings, folder=intake.folder, editor=_has_editor(blocks))
        stack.callback(blocks.close, verbose=False)
        url = _launched(blocks, doors, login, look)
        intake.folder.begin()
        intake.decoders.start()
        return Served(url=url, blocks=blocks, _open=stack.pop_all())


def _launched(blocks: "gr.Blocks", doors: Doors, login: Callable[[str, str], bool] | None, look: Look) -> str:
    settings = doors.settings
    blocks.delete_cache = (_SWEEP_SEC, 60 * settings.keep_minutes)
    blocks.queue(max_size=settings.queue, default_concurrency_limit=1, api_open=False)
    try:
        blocks.launch(
            server_name=settings.host,
            server_port=settings.port or _free_port(settings.host),
            auth=login,
            auth_message=_LOGIN_WORDS if login else None,
            max_file_size=settings.max_upload_bytes,
            state_session_capacity=settings.sessions,
            inbrowser=settings.open_browser,
            blocked_paths=_blocked(Path.cwd(), doors.folder.path),
            app_kwargs=_application(doors),
            theme=look.theme,
            css=look.css,
            js=look.js,
            favicon_path=look.favicon,
            **_CLOSED,
        )
    except OSError as problem:
        raise ConfigurationError(
            f"--host {settings.host} --port {settings.port} cannot be listened on ({problem}): choose another port"
        ) from problem
    _quieten(blocks)
    return str(blocks.local_url)


_CLOSED: Final[dict[str, Any]] = {
    "share": False,
    "allowed_paths": [],
    "show_error": False,
    "ssr_mode": False,
    "enable_monitoring": False,
    "strict_cors": True,
    "max_threads": _THREADS,
    "footer_links": [],
    "run_history": False,
    "mcp_server": False,
    "pwa": False,
    "root_path": "",
    "num_workers": 0,
    "inline": False,
    "quiet": True,
    "prevent_thread_lock": True,
}


def _application(doors: Doors) -> dict[str, Any]:
    from starlette.middleware import Middleware

    return {
        "middleware": [Middleware(Guard, doors=doors)],
        "lifespan": _sealing,
        "docs_url": None,
        "redoc_url": None,
        "openapi_url": None,
    }


@asynccontextmanager
async def _sealing(application: "Starlette") -> AsyncGenerator[None]:
    """Gradio puts middleware of its own around what it is given; this goes around that, as the server starts."""
    stack = application.middleware_stack
    if stack is not None:
        application.middleware_stack = Seal(stack)
    yield


def _quieten(blocks: "gr.Blocks") -> None:
    """The server's name in every answer, and idle connections, are Uvicorn's: settings that Gradio does not pass on."""
    server = blocks.server
    headers = [(name, value) for name, value in server.config.encoded_headers if name != b"server"]
    server.config.encoded_headers = headers
    server.server_state.default_headers = list(headers)  # until the server's clock puts the date before them again
    server.config.timeout_keep_alive = _KEEP_ALIVE_SEC
    server.config.http_protocol_class = impatient(server.config.http_protocol_class)


def _has_editor(blocks: "gr.Blocks") -> bool:
    import gradio

    return any(isinstance(component, gradio.ImageEditor) for component in blocks.blocks.values())


def _blocked(working: Path, folder: Path) -> list[str]:
    """Gradio would serve what lies where it was started, but for these places; its own folder must stay open."""
    working = working.resolve()
    if not folder.is_relative_to(working):
        return [str(working)]
    below = working / folder.relative_to(working).parts[0]
    return [str(place) for place in working.iterdir() if place != below]


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.bind((host.strip("[]"), 0))
        return int(probe.getsockname()[1])
