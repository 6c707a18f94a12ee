"""The list of attacks on the served page: requests, each with a name, and what an answer may not have."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from serving_client import API, BOUNDARY, MULTIPART, Answer, file_data, multipart

SECRET = b"canary-5f1d0c7e"
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "frame-ancestors 'none'",
}
TALKATIVE = re.compile(
    rb"(?:^|[\s\"'(])/(?:etc|home|usr|root|tmp|var|opt|proc|srv)/|[A-Z]:\\|site-packages|\.py\b"
    rb"|Traceback|line \d+|gradio[ /]?\d|uvicorn|python/"
)
ROUTES = (
    f"{API}/file=",
    f"{API}/file/",
    "/file=",
    "/file/",
    "/static/",
    "/assets/",
    "/svelte/",
    f"{API}/stream/",
    "/custom_component/0/client/component/",
    f"{API}/custom_component/0/client/component/",
)


@dataclass(frozen=True)
class Attack:
    name: str
    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


def spellings(secret: Path) -> dict[str, str]:
    """Ways to say where a file lies that is not the visitor's."""
    away = "../" * 12 + str(secret).lstrip("/")
    return {
        "absolute": str(secret),
        "relative": away,
        "encoded slash": away.replace("/", "%2f"),
        "encoded dots": away.replace("..", "%2e%2e"),
        "twice encoded": quote(quote(away, safe=""), safe=""),
        "doubled dots": away.replace("../", "....//"),
        "backslashes": away.replace("/", "%5c"),
        "overlong utf-8": away.replace("..", "%c0%ae%c0%ae"),
        "file address": f"file://{secret}",
        "double slash": f"//{secret}",
        "cut by NUL": f"{secret}%00.png",
        "by /proc": f"/proc/self/root{secret}",
        "by the working folder": f"/proc/self/cwd/{secret.name}",
        "just the name": secret.name,
        "home": "~/.bashrc",
        "semicolons": away.replace("../", "..;/"),
    }


def traversals(secret: Path) -> Iterator[Attack]:
    for route in ROUTES:
        for name, spelling in spellings(secret).items():
            yield Attack(f"{route}: {name}", "GET", route + spelling)


def closed_routes() -> Iterator[Attack]:
    for path in (
        "/monitoring",
        "/monitoring/summary",
        "/monitoring/x",
        f"{API}/runs",
        f"{API}/run-history/buckets",
        "/gradio_api/deep_link",
        f"{API}/vibe-code",
        f"{API}/openapi.json",
        f"{API}/profiling/traces",
        "/docs",
        "/redoc",
        "/openapi.json",
        f"{API}/dev/reload",
        f"{API}/mcp/",
        "/.git/config",
        "/server-status",
    ):
        yield Attack(f"closed: {path}", "GET", path)
    for path in (f"{API}/process_recording", f"{API}/vibe-edit", f"{API}/undo-vibe-edit", f"{API}/run-history/connect"):
        yield Attack(f"closed: {path}", "POST", path, b"{}", (("content-type", "application/json"),))


def addresses(port: int) -> Iterator[Attack]:
    """Requests that would have the server fetch something for the visitor."""
    for name, address in {
        "public": "http://pixturn-canary.example/x",
        "loopback": f"http://127.0.0.1:{port}/x",
        "tls": "https://pixturn-canary.example/x",
        "capitals": "HTTP://pixturn-canary.example/x",
        "metadata": "http://169.254.169.254/latest/meta-data",
        "encoded": "http%3A%2F%2Fpixturn-canary.example/x",
    }.items():
        yield Attack(f"fetch by file=: {name}", "GET", f"{API}/file={address}")
        yield Attack(f"fetch by proxy=: {name}", "GET", f"{API}/proxy={address}")
    for name, path in {
        "plain": "http://pixturn-canary.example/x.png",
        "capitals": "hTTps://pixturn-canary.example/x.png",
        "escaped": "\\u0068ttp://pixturn-canary.example/x.png",
        "spaces": "  http://pixturn-canary.example/x.png",
        "share": "\\\\\\\\pixturn-canary.example\\\\x.png",
    }.items():
        for endpoint in ("image", "file"):
            body = '{"data": [{"path": "PATH", "meta": {"_type": "gradio.FileData"}}]}'.replace("PATH", path).encode()
            yield Attack(f"fetch by {endpoint}: {name}", "POST", f"{API}/call/{endpoint}", body, (JSON,))


JSON = ("content-type", "application/json")


def filenames() -> Iterator[Attack]:
    names = (
        "",
        "\x00",
        "a\x00.png",
        "x" * 5_000,
        "CON",
        "../../../tmp/escaped.png",
        "..",
        ".",
        "-rf",
        "a\r\nX-Evil: 1",
        "日本語.png",
        "<img src=x onerror=alert(1)>.svg",
    )
    for name in names:
        yield Attack(f"file name {name[:20]!r}", "POST", f"{API}/upload", multipart(b"x", name), (MULTIPART,))


def multiparts() -> Iterator[Attack]:
    whole = multipart(b"x" * 100, "a.png")
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx\r\n'.encode()
    bodies = {
        "cut": whole[:-30],
        "empty": b"",
        "noise": bytes(range(256)) * 50,
        "5,000 parts": part * 5_000 + f"--{BOUNDARY}--".encode(),
        "no file": f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"\r\n\r\nx\r\n--{BOUNDARY}--'.encode(),
        "no disposition": f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(),
        "long header": f"--{BOUNDARY}\r\nX: {'y' * 200_000}\r\n\r\nx\r\n--{BOUNDARY}--".encode(),
        "many headers": f"--{BOUNDARY}\r\n".encode() + b"X: y\r\n" * 20_000 + b"\r\nx\r\n",
        "other boundary": whole.replace(BOUNDARY.encode(), b"other"),
    }
    for name, body in bodies.items():
        yield Attack(f"multipart: {name}", "POST", f"{API}/upload", body, (MULTIPART,))
    for kind in (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'b' * 5_000}",
        "text/plain",
    ):
        yield Attack(f"multipart as {kind[:40]}", "POST", f"{API}/upload", whole, (("content-type", kind),))


def documents() -> Iterator[Attack]:
    """Bodies that are no job."""
    deep = b"[" * 100_000
    for name, body in {
        "deep": b'{"data": ' + deep,
        "no JSON": b"{",
        "a list": b"[]",
        "no data": b"{}",
        "null": b"null",
        "utf-16": "{}".encode("utf-16"),
        "numbers": b'{"data": [1e999, -1e999]}',
        "text for a picture": b'{"data": ["x"]}',
        "wrong kind": b'{"data": {"a": 1}}',
        "huge session": json.dumps({"data": [], "session_hash": "s" * 100_000}).encode(),
        "5 MB": b'{"data": ["' + b"x" * 5_000_000 + b'"]}',
    }.items():
        for endpoint in ("call/text", "call/image", "queue/join"):
            yield Attack(f"body of {endpoint}: {name}", "POST", f"{API}/{endpoint}", body, (JSON,))


def heads(url: str) -> Iterator[Attack]:
    for origin in (
        "http://evil.example",
        "null",
        f"{url}.evil.example",
        "http://localhost.evil.example",
        "http://127.0.0.1:1",
    ):
        data = json.dumps({"data": ["x"]}).encode()
        yield Attack(f"origin {origin}", "POST", f"{API}/call/text", data, (JSON, ("origin", origin)))
        yield Attack(
            f"upload from {origin}", "POST", f"{API}/upload", multipart(b"x", "a"), (MULTIPART, ("origin", origin))
        )
    for host in ("evil.example", "127.0.0.1.evil.example", "[::ffff:1.2.3.4]", "", "[", "localhost@evil.example"):
        yield Attack(f"host {host!r}", "GET", "/config", None, (("host", host),))
    for name, value in (
        ("range", "bytes=0-" + ",0-" * 5_000),
        ("x-forwarded-host", "evil.example"),
        ("cookie", "a=" * 10_000),
        ("content-length", "-5"),
        ("transfer-encoding", "nonsense"),
        ("accept-encoding", "br;q=nonsense"),
    ):
        yield Attack(f"header {name}", "GET", "/config", None, ((name, value),))
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "FOO"):
        yield Attack(f"method {method}", method, "/config")


def unuploaded(secret: Path, url: str) -> Iterator[tuple[str, str, list]]:
    """Jobs (name, endpoint, data) on files that the visitor never uploaded."""
    paths = {
        "absolute": str(secret),
        "relative": secret.name,
        "away": "../" * 9 + str(secret).lstrip("/"),
        "by /proc": f"/proc/self/root{secret}",
    }
    for name, path in paths.items():
        plain = file_data(path)
        with_url = file_data(path, url=f"{url}gradio_api/file={path}", orig_name="a.png", is_stream=False)
        streamed = file_data(path, is_stream=True)
        yield f"file: {name}", "file", [plain]
        yield f"file with address: {name}", "file", [with_url]
        yield f"file as stream: {name}", "file", [streamed]
        yield f"files: {name}", "files", [[plain, with_url]]
        yield f"image: {name}", "image", [plain]
        yield f"gallery: {name}", "gallery", [[{"image": plain, "caption": None}]]
        yield f"slider: {name}", "slider", [[plain, plain]]
        yield f"editor: {name}", "editor", [{"background": plain, "layers": [plain], "composite": plain}]
        yield f"invert: {name}", "invert", [plain]


def faults(answer: Answer) -> list[str]:
    """What is wrong with an answer to an attack."""
    found = []
    if SECRET in answer.body:
        found.append("gives a secret away")
    if answer.status >= 500 and answer.status not in (503, 507):
        found.append(f"ends with {answer.status}")
    if answer.status >= 400 and TALKATIVE.search(answer.body):
        found.append("tells of the server's inside")
    found += [f"lacks {name}" for name, value in HEADERS.items() if value not in answer.headers.get(name, "")]
    if "server" in answer.headers:
        found.append("names the server's software")
    return found
