"""The parts of which the served page is made, one by one."""

import asyncio
import base64
import hashlib
import os
import time
from pathlib import Path

import pytest
from PIL import Image

from pipelines.page.serving.answers import Refusal
from pipelines.page.serving.bodies import Body, BodyError, again, require_no_addresses
from pipelines.page.serving.doors import Doors
from pipelines.page.serving.folder import Folder
from pipelines.page.serving.guard import Guard
from pipelines.page.serving.headers import policy_of, sealed
from pipelines.page.serving.login import login_from
from pipelines.page.serving.rates import Rates
from pipelines.page.serving.routes import is_lasting, is_open
from pipelines.page.serving.settings import ServingSettings
from pipelines.page.serving.surroundings import few_formats, own_environment
from translate.errors import ConfigurationError, StorageError


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "pictures.example", "127.0.0.1.example"])
def test_other_machines_come_in_by_login_only(host):
    with pytest.raises(ConfigurationError, match="--login"):
        ServingSettings(host=host)
    assert ServingSettings(host=host, login=Path("login.txt")).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_needs_no_login(host):
    assert ServingSettings(host=host).login is None


@pytest.mark.parametrize(
    "field", ["max_upload_mb", "max_pixels", "queue", "sessions", "cache_mb", "keep_minutes", "decoders"]
)
def test_every_limit_is_finite_and_says_its_name(field):
    with pytest.raises(ConfigurationError, match="--" + field.replace("_", "-")):
        ServingSettings(**{field: 0})


def test_a_login_file(tmp_path):
    path = tmp_path / "login"
    path.write_text("ann:correct horse\n\nbob:with:colons\n")
    matches = login_from(path)
    assert matches("ann", "correct horse")
    assert matches("bob", "with:colons")
    assert not matches("ann", "with:colons")
    assert not matches("eve", "")
    assert not matches("", "")


def test_the_lines_of_a_login_file_are_taken_as_they_are(tmp_path):
    path = tmp_path / "login"
    path.write_bytes(b"\r\nann:ends with blank \r\n bob :correct\xc2\x85 horse\n")
    matches = login_from(path)
    assert matches("ann", "ends with blank ")
    assert not matches("ann", "ends with blank")
    assert matches("bob", "correct\x85 horse")
    for text, number in (("\n\nann:short\n", 3), ("ann:long enough\n\nann:another one\n", 3)):
        path.write_text(text)
        with pytest.raises(ConfigurationError, match=f"line {number}"):
            login_from(path)


@pytest.mark.parametrize("text", ["", "ann\n", "ann:short\n", ":a long password\n"])
def test_a_login_file_that_cannot_be(text, tmp_path):
    path = tmp_path / "login"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="login"):
        login_from(path)


def test_a_login_file_that_anybody_may_write_is_refused(tmp_path):
    path = tmp_path / "login"
    path.write_text("ann:correct horse\n")
    path.chmod(0o666)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        login_from(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        login_from(tmp_path / "none")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/", True),
        ("GET", "/gradio_api/file=/tmp/a.png", True),
        ("POST", "/gradio_api/queue/join", True),
        ("GET", "/gradio_api/queue/join", False),
        ("POST", "/gradio_api/component_server", False),
        ("GET", "/monitoring", False),
        ("GET", "/gradio_api/proxy=http://a", False),
        ("GET", "/assets/../secret", False),
        ("GET", "/assets\\..\\secret", False),
        ("DELETE", "/", False),
    ],
)
def test_routes(method, path, expected):
    assert is_open(method, path, editor=False) == expected


def test_an_editor_opens_one_more_route():
    assert is_open("POST", "/gradio_api/component_server", editor=True)


def test_which_answers_last():
    assert is_lasting("/gradio_api/queue/data")
    assert is_lasting("/gradio_api/call/invert/0123")
    assert not is_lasting("/gradio_api/call/invert")


def test_rates_are_those_of_a_bucket():
    now = [0.0]
    rates = Rates(per_second=2, burst=4, clock=lambda: now[0])
    assert [rates.wait_for("ann") for _ in range(4)] == [0] * 4
    assert rates.wait_for("ann") == pytest.approx(0.5)
    assert rates.wait_for("bob") == 0
    now[0] = 0.5
    assert rates.wait_for("ann") == 0
    assert rates.wait_for("ann") > 0
    for index in range(10_000):
        rates.wait_for(str(index))
    assert len(rates._buckets) <= 4_096


def test_a_policy_names_the_scripts_of_the_page_and_no_others():
    html = b"<script>one()</script><script src='x.js'></script><SCRIPT type=module>\ntwo()</SCRIPT >"
    policy = policy_of(html).decode()
    for script in (b"one()", b"\ntwo()"):
        assert base64.b64encode(hashlib.sha256(script).digest()).decode() in policy
    assert policy.count("sha256-") == 2


def test_headers_are_put_on_once_and_the_servers_name_is_dropped():
    once = sealed([(b"server", b"x"), (b"content-type", b"a/b")], b"policy")
    assert sealed(once) == once
    assert b"server" not in dict(once)


def test_a_folder_forgets_what_is_old_and_keeps_its_examples():
    folder = Folder(ceiling_bytes=1_000, keep_sec=100, every_sec=1_000)
    example, upload, fresh = (folder.new(".png") for _ in range(3))
    example.write_bytes(bytes(100))
    folder.begin()
    upload.write_bytes(bytes(200))
    fresh.write_bytes(bytes(300))
    for path in (example, upload):
        os.utime(path, (time.time() - 200,) * 2)
    folder.sweep()
    assert (example.exists(), upload.parent.exists(), fresh.exists()) == (True, False, True)
    assert folder.takes(600)
    assert not folder.takes(1)
    assert folder.holds(fresh)
    assert not folder.holds(folder.path / ".." / "x")
    folder.close()
    assert not folder.path.exists()


def test_a_full_folder_takes_no_results():
    folder = Folder(ceiling_bytes=100, keep_sec=100, every_sec=1_000)
    folder.new(".png").write_bytes(bytes(100))
    folder.sweep()
    folder.new(".png").write_bytes(b"1")  # as long as nothing is above the ceiling
    folder.sweep()
    with pytest.raises(StorageError, match="disk space for pictures is full"):
        folder.new(".png")
    folder.close()


def test_what_gradio_would_obey_is_out_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_ALLOWED_PATHS", "/")
    monkeypatch.setenv("GRADIO_SHARE", "true")
    with own_environment(tmp_path):
        names = {name for name in os.environ if name.startswith("GRADIO_")}
        assert names == {"GRADIO_TEMP_DIR", "GRADIO_EXAMPLES_CACHE", "GRADIO_ANALYTICS_ENABLED"}
    assert os.environ["GRADIO_SHARE"] == "true"
    assert "GRADIO_TEMP_DIR" not in os.environ


def test_pillow_opens_few_formats_meanwhile(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (4, 4)).save(path, "GIF")
    with few_formats(max_pixels=1_000):
        with pytest.raises(OSError, match="identify"):
            Image.open(path)
        Image.new("L", (50, 50)).save(path, "PNG")
        with pytest.raises(Image.DecompressionBombError):
            Image.open(path)
    Image.open(path).close()


@pytest.mark.parametrize(
    "text",
    [
        b'{"path": "http://a"}',
        b'[{"a": [{"path": " HTTPS://a"}]}]',
        b'{"path": "\\u0068ttp://a"}',
        b'{"path": "//a/b"}',
    ],
)
def test_addresses_are_found_however_deep(text):
    with pytest.raises(BodyError) as caught:
        require_no_addresses(text)
    assert caught.value.refusal.status == 403


def test_other_texts_are_no_addresses():
    require_no_addresses(b'{"data": ["http://a"], "path": "/tmp/a", "url": "http://127.0.0.1/"}')
    require_no_addresses(b"")
    with pytest.raises(BodyError):
        require_no_addresses(b"[" * 100_000)


def messages(*bodies: bytes):
    waiting = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    waiting[-1]["more_body"] = False

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    return receive


def test_bodies_are_counted_and_can_be_read_again():
    async def read():
        body = Body(messages(b"abc", b"def"), 6)
        whole = await body.whole()
        replay = again(whole, body)
        return [await replay(), await replay()]

    first, second = asyncio.run(read())
    assert first == {"type": "http.request", "body": b"abcdef", "more_body": False}
    assert second == {"type": "http.disconnect"}


def test_a_body_that_is_too_long_is_cut():
    async def read():
        await Body(messages(b"abc", b"def"), 5).whole()

    with pytest.raises(BodyError) as caught:
        asyncio.run(read())
    assert caught.value.refusal.status == 413


class OpenDoors:
    settings = ServingSettings()

    def refusal(self, scope):
        return None


def answered(app, path: str = "/", method: str = "GET", body: bytes = b"") -> list[dict]:
    sent = []

    async def send(message):
        sent.append(message)

    async def run():
        scope = {"type": "http", "method": method, "path": path, "headers": []}
        await Guard(app, OpenDoors())(scope, messages(body), send)

    asyncio.run(run())
    return sent


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/gradio_api/upload", 200),
        ("/login/", 200),
        ("/gradio_api/component_server/", 200),
        ("/gradio_api/run/upload", 403),
        ("/gradio_api/call/login", 403),
        ("/gradio_api/api/component_server", 403),
    ],
)
def test_an_endpoint_that_is_called_like_a_route_is_examined_like_all_others(path, status):
    async def good(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert answered(good, path, "POST", b'{"path": "http://a"}')[0]["status"] == status


@pytest.mark.parametrize(("path", "status"), [("/gradio_api/upload", 507), ("/gradio_api/run/upload", None)])
def test_only_what_stays_on_disk_is_counted_there(path, status):
    folder = Folder(ceiling_bytes=5, keep_sec=100, every_sec=1_000)
    headers = [(b"host", b"localhost"), (b"content-length", b"6")]
    refusal = Doors(settings=ServingSettings(), folder=folder).refusal(
        {"type": "http", "method": "POST", "path": path, "headers": headers}
    )
    folder.close()
    assert (refusal and refusal.status) == status


def test_what_breaks_is_told_in_plain_words():
    async def broken(scope, receive, send):
        raise RuntimeError("/home/ann/secret.py, line 7")

    async def talkative(scope, receive, send):
        await send({"type": "http.response.start", "status": 404, "headers": [(b"x-path", b"/home")]})
        await send({"type": "http.response.body", "body": b"no /home/ann/a.png"})

    for app, status in ((broken, 500), (talkative, 404)):
        start, body = answered(app)
        assert start["status"] == status
        assert b"home" not in body["body"] + b"".join(value for _, value in start["headers"])


def test_good_answers_pass_as_they_are():
    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/png")]})
        for part in (b"a", b"b"):
            await send({"type": "http.response.body", "body": part, "more_body": part == b"a"})

    start, *parts = answered(stream)
    assert [part["body"] for part in parts] == [b"a", b"b"]
    assert dict(start["headers"])[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("status", [429, 503])
def test_come_back_later_says_when(status):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Refusal(status=status, retry_sec=2.2).send(send))
    assert dict(sent[0]["headers"])[b"retry-after"] == b"3"
