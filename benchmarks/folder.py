"""Times a folder of pictures, overlapped against one by one: `python -m benchmarks.folder`.

Overlapped is `run_folder`, which reads, translates and writes at the same time; one by one is the plain loop that
people write. Both read and write the same PNG files; they take turns, and the ratio is that of the medians.
"""

import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image

import pipelines
from benchmarks.machine import description
from benchmarks.timing import alternately
from benchmarks.torch_engines import network_named, write_model
from pipelines.load import Device, require_translator
from pipelines.tasks import Translate
from translate.runtime.bound import Binding
from translate.runtime.cores import usable_cores


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    network: str = "ResNet-small"
    """Which network."""
    pictures: int = 48
    """How many there are."""
    size_px: int = 256
    """Side of the square pictures."""
    batches: tuple[int, ...] = (1, 8)
    """Pictures that go through the model together."""
    rounds: int = 5
    """Runs over the folder each way."""
    device: Device = "cpu"
    """Of `pixturn run`."""
    bindings: tuple[Binding, ...] = ("no",)
    """no, yes, graphs: `--bind` of `pixturn run`."""
    pixels: bool = False
    """Whether the model takes and gives pixels (`pixturn export --pixels`)."""


def main(options: Options) -> None:
    """Print a table in Markdown."""
    print(description(torch.device("cuda" if options.device == "cuda" else "cpu"), usable_cores()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _draw(folder / "in", options)
        path = write_model(network_named(options.network), folder, pixels=options.pixels)
        translate = _opened(path, options, "no")
        ways = {"one by one": partial(_one_by_one, translate, folder)}
        for binding in options.bindings:
            opened = translate if binding == "no" else _opened(path, options, binding)
            words = "" if binding == "no" else f", --bind {binding}"
            ways |= {f"run_folder, batch {n}{words}": partial(_together, opened, folder, n) for n in options.batches}
        timings = alternately(ways, rounds=options.rounds)
    print("\n| network | px | device | way | pictures/s (quartiles) | times one by one |\n|---|---|---|---|---|---|")
    for way, timing in timings.items():
        count, ratio = options.pictures, timings["one by one"].median_sec / timing.median_sec
        speed = f"{count / timing.median_sec:.1f} ({count / timing.upper_sec:.1f} to {count / timing.lower_sec:.1f})"
        print(f"| {options.network} | {options.size_px} | {translate.device} | {way} | {speed} | {ratio:.2f} |")


def _opened(path: Path, options: Options, binding: Binding) -> Translate:
    """The model, once it has run."""
    translate = require_translator(pipelines.load(path, device=options.device, binding=binding))
    translate(np.zeros((options.size_px, options.size_px, 3), np.uint8))
    return translate


def _draw(folder: Path, options: Options) -> None:
    """Pictures that take as much decoding as photographs: coarse shapes with grain."""
    folder.mkdir()
    for index in range(options.pictures):
        random = np.random.default_rng(index)
        coarse = random.integers(0, 240, (options.size_px // 16 + 1, options.size_px // 16 + 1, 3))
        shapes = coarse.repeat(16, 0).repeat(16, 1)[: options.size_px, : options.size_px]
        grain = random.integers(0, 16, shapes.shape)
        Image.fromarray((shapes + grain).astype(np.uint8)).save(folder / f"{index:04d}.png")


def _one_by_one(translate: Translate, folder: Path) -> None:
    out = _emptied(folder)
    for path in sorted((folder / "in").iterdir()):
        translate(path).save(out / path.name)


def _together(translate: Translate, folder: Path, batch: int) -> None:
    pipelines.run_folder(translate, folder / "in", _emptied(folder), batch=batch)


def _emptied(folder: Path) -> Path:
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    return out


if __name__ == "__main__":
    main(tyro.cli(Options))
