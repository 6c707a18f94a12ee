"""Many visitors at once: each gets the right picture or a clean no, soon; memory and disk stay flat."""

import io
import os
import socket
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from hostile_pictures import saved
from PIL import Image
from serving_client import API, events, file_data, multipart, served

from pipelines.page.serving.settings import ServingSettings

pytest.importorskip("gradio")
psutil = pytest.importorskip("psutil")

CLEAN = {200, 413, 415, 422, 429, 503, 507}
SIDE_PX = 24


def job(page, seed: int) -> tuple[str, float]:
    """`right`, the status of a clean no, or what was wrong; and how long it took, in seconds."""
    started = time.monotonic()
    pixels = np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX, 3), np.uint8)
    try:
        word = outcome_of(page, pixels)
    except (OSError, ValueError, IndexError) as problem:
        word = repr(problem)
    return word, time.monotonic() - started


def outcome_of(page, pixels) -> str:
    uploaded = page.upload(saved(pixels, "PNG"))
    if uploaded.status != 200:
        return no(uploaded)
    answer = page.call("invert", [file_data(uploaded.document[0])])
    if answer.status != 200:
        return no(answer)
    last, data = events(answer.body)[-1]
    if last != "complete":
        return f"{last} {data}"
    result = page.ask("GET", f"{API}/file={data[0]['path']}")
    if result.status != 200:
        return no(result)
    got = np.asarray(Image.open(io.BytesIO(result.body)).convert("RGB"))
    return "right" if np.array_equal(got, 255 - pixels) else "another picture"


def no(answer) -> str:
    clean = answer.status in CLEAN and b"/" not in answer.body
    waits = answer.status not in (429, 503) or "retry-after" in answer.headers
    return str(answer.status) if clean and waits else f"unclean {answer.status} {answer.body[:80]!r}"


def crowd(page, jobs: int, clients: int, first_seed: int = 0) -> tuple[dict[str, int], float]:
    """How many jobs ended how, and the 99th percentile of their times in seconds."""
    with ThreadPoolExecutor(clients) as pool:
        done = list(pool.map(lambda seed: job(page, seed), range(first_seed, first_seed + jobs)))
    words = {word: sum(1 for other, _ in done if other == word) for word, _ in done}
    return words, float(np.percentile([seconds for _, seconds in done], 99))


def is_clean(words: dict[str, int]) -> bool:
    return set(words) <= {"right", "429", "503"} and words.get("right", 0) > 0


def measured(page) -> tuple[float, int, int]:
    """RSS of the server in MB, its open files, and the bytes in its folder."""
    process = psutil.Process(page.process.pid)
    size = sum(path.stat().st_size for path in files_in(folder_of(page)))
    return process.memory_info().rss / 1e6, process.num_fds(), size


def folder_of(page) -> Path:
    return Path(page.upload(b"x", "x.txt").document[0]).parents[1]


RELEASE_JOBS = int(os.environ.get("PIXTURN_LOAD_JOBS", "2000"))
"""Before a release: 10000."""


@pytest.mark.parametrize(
    ("jobs", "clients", "burst"), [(40, 8, 40), pytest.param(RELEASE_JOBS, 24, 200, marks=pytest.mark.slow)]
)
def test_a_crowd_gets_right_pictures_or_a_clean_no(jobs, clients, burst, tmp_path):
    slow = slowness()
    with served("kept", tmp_path, requests_per_second=100_000, decode_seconds=30, cache_mb=200) as page:
        crowd(page, jobs // 4, clients, first_seed=10**6)
        before = measured(page)
        words, p99 = crowd(page, jobs, clients)
        record(f"\n{jobs} jobs, {clients} clients: {words}, p99 {p99:.2f} s, others {slow:.1f}")
        assert is_clean(words)
        assert p99 < 5 * slow
        after = measured(page)
        record(
            f"RSS {before[0]:.0f} -> {after[0]:.0f} MB, files {before[1]} -> {after[1]}, disk {after[2] / 1e6:.1f} MB"
        )
        assert after[0] - before[0] <= 40
        assert abs(after[1] - before[1]) <= 5
        assert after[2] < 200e6
        with watched_queue(page) as lengths:
            words, p99 = crowd(page, burst, burst, first_seed=10**7)
        record(f"burst of {burst}: {words}, p99 {p99:.2f} s, at most {max(lengths)} in the queue")
        assert is_clean(words)
        assert p99 < 5 * slow
        assert max(lengths) <= QUEUE
        word, seconds = job(page, 1)
        assert word == "right"
        assert seconds < 5
        assert is_empty_two_hours_later(page)


QUEUE = ServingSettings().queue


@contextmanager
def watched_queue(page):
    """How many jobs wait, seen every so often."""
    lengths, ended = [0], threading.Event()

    def watch():
        while not ended.wait(0.02):
            with suppress(OSError, ValueError):
                lengths.append(page.ask("GET", f"{API}/queue/status").document["queue_size"])

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield lengths
    finally:
        ended.set()
        watching.join()


def is_empty_two_hours_later(page) -> bool:
    """Whether nothing is left of what visitors sent and got, once it is two hours old."""
    folder, then = folder_of(page), time.time() - 7_200
    for path in files_in(folder):
        os.utime(path, (then, then))
    ends_at = time.monotonic() + 30 * slowness()  # there are thousands
    while (left := files_in(folder)) and time.monotonic() < ends_at:
        time.sleep(0.2)
    return not left


def files_in(folder: Path) -> list[Path]:
    """All files, of folders too that vanish meanwhile."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def record(line: str) -> None:
    """Shown by `pytest -s`."""
    sys.stdout.write(line + "\n")


def slowness() -> float:
    """How much slower than alone this machine is now, by how many run besides us."""
    return max(1.0, psutil.getloadavg()[0] / (psutil.cpu_count() or 1))


@pytest.mark.slow
def test_a_full_queue_is_a_clean_503_at_once(tmp_path):
    """250 ms, of 99 answers in 100, each with the time after which to come again."""
    slow = slowness()
    with (
        served("kept", tmp_path, requests_per_second=100_000, queue=2, slow_sec=3) as page,
        watched_queue(page) as seen,
    ):
        crowding, answers = filled(page, 5), []
        for _ in range(200):
            began = time.monotonic()
            answer = page.post(f"{API}/call/invert", {"data": [None]})
            answers.append((answer.status, "retry-after" in answer.headers, time.monotonic() - began))
        words = {status for status, _, _ in answers}
        p99 = float(np.percentile([seconds for status, _, seconds in answers if status == 503], 99))
        record(f"\nfull: {words}, p99 {1000 * p99:.0f} ms, at most {max(seen)} in the queue")
        assert [status for status, _, _ in answers].count(503) >= 100
        assert all(told for status, told, _ in answers if status == 503)
        assert words <= {200, 503}
        assert p99 < 0.25 * slow
        assert max(seen) == 2
        assert {word for word, _ in (each.result() for each in crowding)} <= {"right", "503"}


def filled(page, jobs: int) -> list[Future]:
    """Jobs under way, more than there is room for."""
    pool = ThreadPoolExecutor(jobs)
    begun = [pool.submit(job, page, seed) for seed in range(jobs)]
    pool.shutdown(wait=False)
    time.sleep(1)
    return begun


@pytest.mark.slow
def test_a_page_served_carelessly_lets_a_crowd_wait_without_end(tmp_path):
    """The control: everybody gets in line, and nobody a clean no."""
    with served("plain", tmp_path, slow_sec=0.1) as page, watched_queue(page) as lengths:
        words, _ = crowd(page, 2 * QUEUE + 8, 2 * QUEUE + 8)
    assert "503" not in words
    assert max(lengths) > QUEUE


@pytest.mark.slow
def test_a_visitor_in_a_hurry_is_told_to_wait(tmp_path):
    with served("kept", tmp_path, requests_per_second=0.5) as page:
        answers = [page.ask("GET", "/config") for _ in range(10)]
        assert [answer.status for answer in answers].count(429) >= 3
        late = next(answer for answer in answers if answer.status == 429)
        assert 1 <= int(late.headers["retry-after"]) <= 2


@pytest.mark.slow
def test_the_folder_has_a_ceiling_and_goes_in_the_end(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 150_000, np.uint8).tobytes()
    with served("kept", tmp_path, requests_per_second=100_000, cache_mb=1, max_upload_mb=1) as page:
        folder = folder_of(page)
        assert page.upload(bytes(1_300_000)).status == 413
        answers = [page.upload(noise + bytes([index])) for index in range(12)]
        statuses = [answer.status for answer in answers]
        assert set(statuses) == {200, 507}
        assert statuses[-1] == 507
        assert sum(path.stat().st_size for path in files_in(folder)) <= 1_000_000
    assert not folder.exists()


@pytest.mark.slow
def test_a_page_served_carelessly_takes_what_comes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 3_000_000, np.uint8).tobytes()
    with served("plain", tmp_path) as page:
        statuses = {page.upload(noise + bytes([index])).status for index in range(10)}
        assert statuses == {200}
        assert {page.ask("GET", "/config").status for _ in range(50)} == {200}


@pytest.mark.slow
def test_too_much_is_refused_before_and_while_it_comes(tmp_path):
    with served("kept", tmp_path, max_upload_mb=1) as page:
        assert page.upload(bytes(3_000_000)).status == 413
        assert streamed(page, 40).startswith((b"HTTP/1.1 413", b""))
        assert page.healthy()


def streamed(page, megabytes: int) -> bytes:
    """A body that does not say how long it is; what the server answers before it cuts the line."""
    with socket.create_connection(page.address, timeout=10) as line:
        line.sendall(upload_head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        sent = 0
        try:
            for _ in range(megabytes):
                line.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                sent += 1
            return b"took everything" if line.recv(12).startswith(b"HTTP/1.1 200") else line.recv(100)
        except OSError:
            assert sent < megabytes
            return b"HTTP/1.1 413"


@pytest.mark.slow
def test_visitors_who_dawdle_or_vanish_hold_nobody_up(tmp_path):
    count = 100
    with served("kept", tmp_path, requests_per_second=100_000, decode_seconds=30) as page:
        assert job(page, 0)[0] == "right"
        before = measured(page)
        dawdlers = [opened(page, b"GET / HTTP/1.1\r\nHost: 127.") for _ in range(count)]
        halves = [opened(page, upload_head(10_000) + bytes(5_000)) for _ in range(count)]
        for index in range(2 * count):
            vanish(page, index)
        word, seconds = job(page, 1)
        assert word == "right"
        assert seconds < 5 * slowness()
        assert all_end(dawdlers, 25 * slowness())
        for line in halves:
            line.close()
        time.sleep(2)
        after = measured(page)
        assert abs(after[1] - before[1]) <= 5
        assert job(page, 2)[0] == "right"


def opened(page, beginning: bytes) -> socket.socket:
    line = socket.create_connection(page.address, timeout=30)
    line.sendall(beginning)
    return line


def upload_head(length: int) -> bytes:
    return (
        f"POST {API}/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    ).encode()


def vanish(page, index: int) -> None:
    """Join the queue, or half upload, and be gone."""
    body = multipart(bytes(2_000), "a.png")
    line = opened(page, upload_head(len(body)) + body[: len(body) * (index % 3) // 2])
    line.close()


def all_end(lines: list[socket.socket], seconds: float) -> bool:
    """Whether the server closes every one of them in that time."""
    ends_at = time.monotonic() + seconds
    for line in lines:
        line.settimeout(max(0.1, ends_at - time.monotonic()))
        try:
            while line.recv(1_000):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        line.close()
    return True


@pytest.mark.slow
def test_a_leak_would_be_seen(tmp_path):
    """The same measurements on a page whose jobs keep what they made."""
    with served("leaky", tmp_path, requests_per_second=100_000, decode_seconds=30) as page:
        crowd(page, 20, 4, first_seed=10**6)
        before = measured(page)
        words, _ = crowd(page, 300, 12)
        after = measured(page)
        assert words["right"] >= 250
        assert after[0] - before[0] > 40
        assert after[1] - before[1] > 5
