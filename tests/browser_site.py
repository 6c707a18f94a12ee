"""A page with models whose results are known, served as people serve it: `app.py` in a process of its own."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import page_models
import psutil
import tiny_onnx
import tiny_tasks
from onnx import helper
from PIL import Image, ImageCms

from pipelines.cli import main
from translate.card import Card, Picture

ROOT = Path(__file__).parents[1]
CORES = os.cpu_count() or 1


def write_models(folder):
    """Bundles that are called as those that ship are, and one that takes minutes."""
    for name, gain in (("x2", 1.0), ("x2-perceptual", -1.0)):
        (folder / "x2").mkdir(parents=True, exist_ok=True)
        louder(folder / "x2" / f"{name}.onnx", gain)
    (folder / "inpaint").mkdir()
    tiny_tasks.filler(folder / "inpaint" / "inpaint.onnx")
    page_models.slow(folder, layers=400)


def louder(path, gain):
    """b is `gain` times a, every pixel twice as high and wide: what mixtures of two gains give is known."""
    a, b = Picture(name="a"), Picture(name="b")
    card = Card(task="upscale", method="known", name=path.stem, inputs=(a,), outputs=(b,), scale=2, tiling="exact")
    nodes = [
        helper.make_node("Resize", ["a", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Mul", ["large", "gain"], ["b"]),
    ]
    constants = [tiny_tasks.constant("scales", [1, 1, 2, 2]), tiny_tasks.constant("gain", [gain])]
    model = tiny_onnx.graph_of(nodes, [("a",)], [("b",)], constants)
    return tiny_onnx.with_sidecar(tiny_onnx.saved(path, model, card.to_json()))


@dataclass(frozen=True, kw_only=True)
class Site:
    """A page that is being served, the folder where it was started, and its log."""

    url: str
    folder: Path
    process: subprocess.Popen = field(repr=False)

    @property
    def log(self):
        return (self.folder / "log.txt").read_text()

    @property
    def cpu_seconds(self):
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    @property
    def children(self):
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def site(folder, *arguments, runs_here=True, environment=()):
    """`python app.py` in a folder, whose `checkpoints` are on the page."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO_")}
    command = [sys.executable, str(ROOT / "app.py"), "--port", "0", "--device", "cpu"]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [*command, "--requests-per-second", "200", *arguments],
            cwd=folder if runs_here else ROOT,
            env={**kept, "PYTHONUNBUFFERED": "1", **dict(environment)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        line = process.stdout.readline()
        assert "http" in line, (folder / "log.txt").read_text()[-2000:]
        url = next(word for word in line.split() if word.startswith("http"))
        yield Site(url=url, folder=folder, process=process)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def picture(path, width=96, height=64, seed=0, channels=3, **save):
    """Noise, so that no two pixels are alike by chance."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **save)
    return path


def turned_jpeg(path, **size):
    """A JPEG as telephones write it: lying on its side, with a colour profile."""
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return picture(path, quality=95, exif=exif, icc_profile=profile, **size)


def pixels_of(path):
    with Image.open(path) as opened:
        return np.asarray(opened)


def same_picture(one, other):
    """Whether two files hold the same pixels, in the same mode."""
    with Image.open(one) as first, Image.open(other) as second:
        return first.mode == second.mode and first.size == second.size and first.tobytes() == second.tobytes()


def command_line(folder, words, monkeypatch):
    """What a command line (`pixturn ...`) does in a folder."""
    monkeypatch.chdir(folder)
    assert words[0] == "pixturn"
    assert main(words[1:]) == 0
