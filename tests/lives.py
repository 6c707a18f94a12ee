"""Tiny training runs in processes of their own, begun by the fork server in crash_worker.py and watched from here."""

import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from PIL import Image
from skimage import data as pictures

from translate.storage.shelf import Shelf
from translate.storage.snapshot import MANIFEST

IMAGES = 100
PATIENCE_SEC = 60.0


def write_pairs(root):
    """Crops of photographs and the same in grey: 24 pairs to train on, 4 to validate."""
    photographs = [Image.fromarray(picture()) for picture in (pictures.astronaut, pictures.coffee)]
    for number in range(28):
        photograph, (x, y) = photographs[number % 2], (number // 2 * 20, number // 2 * 12)
        crop = photograph.crop((x, y, x + 72, y + 72)).resize((36, 36))
        split = "train" if number < 24 else "val"
        for domain, picture in (("A", crop.convert("L").convert("RGB")), ("B", crop)):
            (root / f"{split}{domain}").mkdir(exist_ok=True)
            picture.save(root / f"{split}{domain}" / f"{number:02d}.png")
    return root


class Server:
    """Lives of runs, each a fork of one process that has torch imported."""

    def __init__(self):
        program = Path(__file__).with_name("crash_worker.py")
        self._process = subprocess.Popen(
            [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, order):
        """Begin a life; returns the ids of its processes, by rank."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def wait(self):
        """The exit codes of the life that was begun last, by rank."""
        return json.loads(self._process.stdout.readline())

    def close(self):
        """End the server, and a life that hangs."""
        self._process.stdin.close()
        for life in psutil.Process(self._process.pid).children(recursive=True):
            life.kill()
        self._process.wait(timeout=30)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run and how its lives begin: from nothing, or from its newest checkpoint where it has one."""

    server: Server
    data: Path
    runs: Path
    method: str
    saver: str = "shelf"
    workers: int = 0
    images: int = IMAGES
    world: int = 1
    batch_size: int = 1

    @property
    def path(self):
        return self.runs / "run"

    @property
    def shelf(self):
        return Shelf(self.path / "snapshots")

    def start(self, *, die_at_event=None):
        """Begin a life; returns the ids of its processes."""
        self.runs.mkdir(parents=True, exist_ok=True)
        order = {"data": str(self.data), "runs": str(self.runs), "log": str(self.runs / "log")}
        order |= {"method": self.method, "saver": self.saver, "workers": self.workers, "images": self.images}
        order |= {"world": self.world, "batch_size": self.batch_size, "port": free_port() if self.world > 1 else 0}
        order |= {"resume": any((self.path / "snapshots").glob("images-*")), "die_at_event": die_at_event}
        return self.server.start(order)

    def live(self, *, die_at_event=None):
        """A whole life; returns the exit code, which all its processes must share."""
        self.start(die_at_event=die_at_event)
        (code,) = set(self.server.wait())
        return code

    def log(self):
        return (self.runs / "log").read_text()

    def steps(self):
        """Lines of figures so far."""
        metrics = self.path / "metrics.jsonl"
        return metrics.read_bytes().count(b"\n") if metrics.exists() else 0

    def wait_for_steps(self, pid, count):
        """Wait until the life has made so many more steps, or has ended."""
        before, deadline = self.steps(), time.monotonic() + PATIENCE_SEC
        while self.steps() < before + count and psutil.pid_exists(pid) and time.monotonic() < deadline:
            before = min(before, self.steps())  # a resumed run cuts off what lies beyond its checkpoint
            time.sleep(0.002)

    def last(self):
        """The last checkpoint."""
        return self.shelf.read(self.images)

    def result(self):
        """The files of the last checkpoint with their hashes."""
        return json.loads((self.shelf.path(self.images) / MANIFEST).read_bytes())["files"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
