"""What the tests of the served page share: the process with the page, and a client that says anything it likes."""

import http.client
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

TESTS = Path(__file__).parent
API = "/gradio_api"
BOUNDARY = "----pixturn"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self):
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Page:
    url: str
    process: subprocess.Popen = field(repr=False)
    report: Path
    cwd: Path

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname, parts.port

    def connection(self, timeout: float = 30.0) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=timeout)

    def ask(self, method: str, path: str, body=None, headers=(), timeout: float = 30.0) -> Answer:
        """One request, its path and headers as they are: nothing is made neat."""
        connection = self.connection(timeout)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True, skip_host="host" in dict(headers))
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None and "content-length" not in dict(headers):
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            got = connection.getresponse()
            headers = {name.lower(): value for name, value in got.getheaders()}
            return Answer(status=got.status, headers=headers, body=read(got, timeout))
        finally:
            connection.close()

    def post(self, path: str, document, headers=()) -> Answer:
        body = json.dumps(document).encode()
        return self.ask("POST", path, body, [("content-type", "application/json"), *headers])

    def upload(self, content: bytes, name: str = "picture.png", headers=()) -> Answer:
        return self.ask("POST", f"{API}/upload", multipart(content, name), [MULTIPART, *headers])

    def call(self, endpoint: str, data: list) -> Answer:
        """A job from start to end; the body of the answer is the stream of its events."""
        joined = self.post(f"{API}/call/{endpoint}", {"data": data})
        if joined.status != 200:
            return joined
        return self.ask("GET", f"{API}/call/{endpoint}/{joined.document['event_id']}", timeout=60)

    def healthy(self) -> bool:
        return self.process.poll() is None and self.ask("GET", "/config").status == 200


def read(got: http.client.HTTPResponse, seconds: float) -> bytes:
    """A body, or what of it comes in that time: some streams never end."""
    ends_at, parts = time.monotonic() + seconds, []
    while time.monotonic() < ends_at and (part := got.read1(1 << 20)):
        parts.append(part)
    return b"".join(parts)


MULTIPART = ("content-type", f"multipart/form-data; boundary={BOUNDARY}")


def multipart(content: bytes, name: str) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="'.encode()
        + name.encode("utf-8", "surrogateescape")
        + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
        + content
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )


def file_data(path: str, **more) -> dict:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def events(stream: bytes) -> list[tuple[str, object]]:
    """The events of a job, with their data."""
    found = []
    for block in stream.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            found.append((lines["event"], json.loads(lines.get("data", "null"))))
    return found


@contextmanager
def served(mode: str, folder: Path, **options):
    """The page of `serving_app`, in a process of its own that starts in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "connections.txt"
    root = str(TESTS.parent)
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    command = [sys.executable, str(TESTS / "serving_app.py"), mode, str(report)]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [*command, *(f"{name}={value}" for name, value in options.items())],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = process.stdout.readline().decode().strip()
        assert url.startswith("http"), (folder / "log.txt").read_text()[-2000:]
        yield Page(url=url, process=process, report=report, cwd=folder)
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
