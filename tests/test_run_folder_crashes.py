"""Kills, signals, full disks, and memory: a folder run may end at any moment, and what is there is whole (T10)."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from folder_models import drawn, files, negative, pixels_of, read
from full_disks import small_file_system
from PIL import Image
from tiny_onnx import negative as negative_model

import pipelines
from pipelines.batch import run_folder
from pipelines.cli import main
from translate.errors import StorageError

PATIENCE_SEC = 120.0
MOST_GROWTH_BYTES = 16 * 2**20
MOST_FILES_IN_FLIGHT = 8


def place_of(number):
    return f"d{number % 20:02d}/good{number:05d}.png"


@dataclass
class Job:
    """A folder of tiny pictures, some of them bad, and the lives of runs over it."""

    root: Path
    good: int
    bad: int
    size_px: int = 8

    def __post_init__(self):
        self.model = negative_model(self.root / "model.onnx")
        for number in range(20):
            (self.root / "in" / f"d{number:02d}").mkdir(parents=True)
        for number in range(self.good):
            Image.fromarray(self.pixels(number)).save(self.root / "in" / place_of(number))
        for number in range(self.bad):
            bad = self.root / "in" / f"d{number % 20:02d}" / f"bad{number:05d}.png"
            whole = (self.root / "in" / place_of(number)).read_bytes()
            bad.write_bytes(whole[: len(whole) // 2] if number % 2 else b"no picture")
        self.before = self.signature()

    def pixels(self, number):
        return pixels_of(number, self.size_px, self.size_px)

    def signature(self):
        """Of every file that is to be translated."""
        found = {place: path.stat() for place, path in files(self.root / "in").items()}
        return {place: (status.st_ino, status.st_size, status.st_mtime_ns) for place, status in found.items()}

    @property
    def out(self):
        return self.root / "out"

    def start(self, broken="", pace_sec=0.0, every=1):
        order = {name: str(self.root / name) for name in ("out", "log")} | {"source": str(self.root / "in")}
        order |= {"model": str(self.model), "broken": broken, "pace_sec": pace_sec, "every": every}
        worker = Path(__file__).with_name("folder_worker.py")
        (self.root / "log").unlink(missing_ok=True)
        return subprocess.Popen([sys.executable, worker, json.dumps(order)])

    def live(self, **how):
        life = self.start(**how)
        assert life.wait(PATIENCE_SEC) == (8 if self.bad else 0)
        return self.log()

    def log(self):
        log = self.root / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return np.array([[int(word) for word in line.split()] for line in lines])

    def kill(self, life, after):
        """kill -9, a little after so many pictures are behind it."""
        deadline = time.monotonic() + PATIENCE_SEC
        while (
            life.poll() is None and time.monotonic() < deadline and not (len(self.log()) and self.log()[-1][0] > after)
        ):
            time.sleep(0.002)
        time.sleep(random.random() * 0.01)
        life.kill()
        return life.wait(PATIENCE_SEC) == -signal.SIGKILL

    def wrong(self):
        """Results that are not there, or not complete, or not what they should be."""
        return [number for number in range(self.good) if not self.is_right(number)]

    def is_right(self, number):
        try:
            return np.array_equal(read(self.out / place_of(number)), 255 - self.pixels(number))
        except (OSError, SyntaxError):
            return False

    def check(self):
        made = set(files(self.out))
        assert made == {place_of(number) for number in range(self.good)} | {"failures.jsonl"}
        failures = [json.loads(line) for line in (self.out / "failures.jsonl").read_text().splitlines()]
        assert sorted(each["reason"] for each in failures) == ["not_a_picture"] * ((self.bad + 1) // 2) + [
            "truncated"
        ] * (self.bad // 2)
        assert self.signature() == self.before
        translate = pipelines.load(self.model, device="cpu")
        for number in range(0, self.good, max(1, self.good // 20)):
            alone = np.asarray(translate(self.root / "in" / place_of(number)))
            np.testing.assert_array_equal(read(self.out / place_of(number)), alone)


def killed_often(job, kills, broken="", after=30, pace_sec=0.003):
    """Lives that end by kill -9, and one that ends by itself; what is there already must be whole at any time."""
    deaths = sum(job.kill(job.start(broken, pace_sec), after) for _ in range(kills))
    assert deaths >= kills / 2
    there = set(files(job.out))
    assert 0 < len(there) < job.good
    return job.live(every=100)


def test_kills_cost_nothing_but_time(tmp_path):
    job = Job(root=tmp_path, good=290, bad=10)
    killed_often(job, kills=3)
    assert job.wrong() == []
    job.check()


def test_control_a_writer_that_leaves_half_files_is_found(tmp_path):
    job = Job(root=tmp_path, good=290, bad=10)
    killed_often(job, kills=3, broken="half")
    assert job.wrong() != []


def growth(log, settled):
    """Bytes between the memory after so many pictures and the most that is seen from there on."""
    later = log[log[:, 0] >= settled]
    return later[:, 1].max() - later[0, 1]


@pytest.mark.parametrize("broken", ["", "unbounded", "leaking"])
def test_memory_follows_from_the_pictures_and_not_from_their_number(tmp_path, broken):
    job = Job(root=tmp_path, good=1, bad=0)
    Image.fromarray(np.zeros((256, 256, 3), np.uint8)).save(tmp_path / "in" / place_of(0))
    for number in range(1, 250):
        os.link(tmp_path / "in" / place_of(0), tmp_path / "in" / place_of(number))
    log = job.live(broken=broken, pace_sec=0.003)
    assert (growth(log, 0) <= MOST_GROWTH_BYTES) == (broken != "unbounded")
    assert (np.ptp(log[5:-5, 2]) <= MOST_FILES_IN_FLIGHT) == (broken != "leaking")


@pytest.mark.slow
def test_twenty_thousand_pictures_two_hundred_of_them_bad_and_ten_kills(tmp_path):
    job = Job(root=tmp_path, good=19_800, bad=200)
    log = killed_often(job, kills=10, after=250, pace_sec=0.0005)
    assert job.wrong() == []
    job.check()
    done = log[:, 0]
    assert done[-1] > 12_000
    assert growth(log, 2000) <= MOST_GROWTH_BYTES
    assert np.ptp(log[done >= 2000, 2]) <= MOST_FILES_IN_FLIGHT
    assert log[-1, 2] <= log[0, 2]
    untouched = {place: path.stat().st_mtime_ns for place, path in files(job.out).items() if path.suffix == ".png"}
    (job.out / place_of(7)).unlink()
    log = job.live(every=100)
    assert log[-1][0] == 201
    changed = {place for place, path in files(job.out).items() if untouched.get(place) != path.stat().st_mtime_ns}
    assert changed == {place_of(7), "failures.jsonl"}


# Signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_stop_in_good_order(tmp_path, number, code):
    model, source, out = negative_model(tmp_path / "model.onnx"), tmp_path / "in", tmp_path / "out"
    pixels = drawn(source / "00000.png")
    for index in range(1, 1500):
        os.link(source / "00000.png", source / f"{index:05d}.png")
    command = [sys.executable, "-m", "pipelines.cli", "run", model, source, "-o", out, "--device", "cpu"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not (out.exists() and len(files(out)) > 20):
        time.sleep(0.002)
    run.send_signal(number)
    words = run.communicate(timeout=PATIENCE_SEC)[1]
    assert run.returncode == code
    assert "Give the same command again" in " ".join(words.split())
    made = files(out)
    assert 20 < len(made) < 1500
    assert all(name[0].isdigit() and name.endswith(".png") for name in made)
    assert all(np.array_equal(read(path), 255 - pixels) for path in made.values())
    again = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=PATIENCE_SEC)
    assert again.returncode == 0
    assert f"1,500 pictures in {out}, {len(made)} of them already there (cpu)" in " ".join(again.stdout.split())
    assert len(files(out)) == 1500


# Disks


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 kB."""
    with small_file_system(tmp_path / "disk", "size=256k") as disk:
        yield disk


def test_a_disk_that_is_really_full_ends_the_run_at_once(small_disk, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    model, source, out = negative_model(tmp_path / "model.onnx"), tmp_path / "in", small_disk / "out"
    pixels = [drawn(source / f"{number:02d}.png", number, height=64, width=64) for number in range(60)]
    command = ["run", *map(str, (model, source, "-o", out, "--device", "cpu"))]
    assert main(command) == 5
    words = capsys.readouterr().err
    assert str(out) in words
    assert "No space left" in words
    assert "it needs 0.01" in words
    assert "are free" in words
    made = files(out)
    assert 5 < len(made) < 30
    assert all(np.array_equal(read(path), 255 - pixels[int(path.stem)]) for path in made.values())
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert main(command) == 0
    assert len(files(out)) == 60


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_no_more_ends_the_run_at_once(tmp_path, monkeypatch, failure):
    for number in range(100):
        drawn(tmp_path / "in" / f"{number:02d}.png", number)
    fsync, calls = os.fsync, iter(range(10**6))

    def failing(handle):
        if next(calls) >= 20:
            raise OSError(failure, os.strerror(failure))
        return fsync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StorageError, match=os.strerror(failure)) as refusal:
        run_folder(negative(), tmp_path / "in", tmp_path / "out")
    assert refusal.value.exit_code == 5
    monkeypatch.undo()
    made = files(tmp_path / "out")
    assert len(made) < 25
    assert all(np.array_equal(read(path), 255 - pixels_of(int(path.stem))) for path in made.values())
