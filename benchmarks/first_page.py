"""Times the first picture as people meet it, in fresh processes: `python -m benchmarks.first_page`.

`pixturn upscale` from its start to the written file, and `pixturn app` from its start to the first answer and to the
first upscaled picture. `first time` is a model that was never tried on this machine, which a child process does first;
`again` is the same model later. Computing time is that of the process and of all its children.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import tyro
from PIL import Image

from benchmarks.timing import summary
from translate.runtime.approvals import CACHE_VARIABLE

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-c", "import sys; from pipelines.cli import main; sys.exit(main())")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    model: str = "x2"
    """A bundle's name, or an .onnx file, that enlarges."""
    size_px: int = 512
    """Side of the square picture."""
    rounds: int = 3
    """Fresh processes each way."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """How long something took, and how much was computed meanwhile."""

    wall: float
    cpu: float


def main(options: Options) -> None:
    """Print a table in Markdown."""
    print("| what | process | seconds | of computing |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = folder / "photo.png"
        _photo(options.size_px).save(picture)
        warm = folder / "warm"
        _upscaled(options.model, picture, warm)  # the disk's cache, and Python's compiled files
        ways: dict[str, Callable[[Path], Taken]] = {
            f"pixturn upscale, {options.size_px} px": lambda cache: _upscaled(options.model, picture, cache),
            "pixturn app, first answer": lambda cache: _answered(options.model, None, cache),
            f"pixturn app, first picture, {options.size_px} px": lambda cache: _answered(options.model, picture, cache),
        }
        for what, run in ways.items():
            for process, caches in _caches(folder / what.replace(" ", "-"), warm, options.rounds).items():
                taken = [run(cache) for cache in caches]
                wall, cpu = summary([each.wall for each in taken]), summary([each.cpu for each in taken])
                print(f"| {what} | {process} | {wall.median_sec:.2f} | {cpu.median_sec:.2f} |", flush=True)


def _caches(fresh: Path, warm: Path, rounds: int) -> dict[str, list[Path]]:
    return {"first time": [fresh.with_name(f"{fresh.name}-{n}") for n in range(rounds)], "again": [warm] * rounds}


def _photo(side_px: int) -> Image.Image:
    """Smooth shapes and some noise, as photographs have."""
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px
    waves = [np.sin(9 * x + 3 * y), np.cos(7 * x * y), np.sin(11 * y)]
    noise = np.random.default_rng(0).normal(0, 6, (side_px, side_px, 3))
    return Image.fromarray(np.clip(128 + 90 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8))


def _upscaled(model: str, picture: Path, cache: Path) -> Taken:
    target = picture.with_name("large.png")
    target.unlink(missing_ok=True)
    began, cpu = time.perf_counter(), _children_cpu()
    command = [*COMMAND, "upscale", model, str(picture), "-o", str(target)]
    subprocess.run(command, env=_environment(cache), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return Taken(wall=time.perf_counter() - began, cpu=_children_cpu() - cpu)


def _answered(model: str, picture: Path | None, cache: Path) -> Taken:
    """Until the page is there, and a picture was made if there is one."""
    given = [model] if model.endswith(".onnx") else []
    began = time.perf_counter()
    page = subprocess.Popen(
        [*COMMAND, "app", *given, "--port", "0", "--device", "cpu"],
        env=_environment(cache),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert page.stdout is not None
    url = next(word for word in page.stdout.readline().split() if word.startswith("http"))
    with urllib.request.urlopen(url) as answer:
        answer.read()
    if picture is not None:
        _enlarged(url, Path(model).stem, picture)
    taken = Taken(wall=time.perf_counter() - began, cpu=_cpu_of(page.pid))
    page.terminate()
    page.wait()
    return taken


def _enlarged(url: str, model: str, picture: Path) -> None:
    from gradio_client import Client, handle_file

    client = Client(url, verbose=False)
    client.predict([handle_file(str(picture))], model, 1, "png", api_name="/upscale")


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, CACHE_VARIABLE: str(cache), "PYTHONUNBUFFERED": "1"}


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_of(pid: int) -> float:
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    own = process.cpu_times()
    return sum(each.user + each.system for each in times) + own.children_user + own.children_system


if __name__ == "__main__":
    main(tyro.cli(Options))
