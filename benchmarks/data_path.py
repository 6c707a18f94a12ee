"""Times the data path against the step that it feeds: `python -m benchmarks.data_path`.

Each kind of data set is drawn on the disk and read as its recipe reads it, by so many workers, from the files or from
the cache (`--cache`); the recipe's training step plays on one batch that lies on the device. They take turns in one
process, and a data path is fast enough where it gives more samples a second than the step takes. The files are in the
system's cache, as they are from the second epoch on where memory is large enough. The last table has what goes before:
making the cache; and what may come after: random changes of the batch on the device.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import Tensor

from benchmarks.data_path_sets import KINDS, Kind
from benchmarks.machine import description, synchronise
from benchmarks.timing import alternately, summary
from pipelines.recipes import recipe_named
from pipelines.training.data import Data
from pipelines.training.kit import kit_of
from pipelines.training.resolve import resolve
from pipelines.training.session import Session, open_session
from translate.card import Picture
from translate.data.augmentation import ColourJitter
from translate.data.dataset import BatchSource
from translate.data.device_augmentation import DeviceAugmentation, DeviceAugmenter
from translate.data.store import Store
from translate.data.stream import loader
from translate.processes import Processes
from translate.recipe import Length, Recipe
from translate.runtime.cores import usable_cores

STEP = "training step"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    kinds: tuple[str, ...] = tuple(KINDS)
    """Which data sets."""
    workers: tuple[int, ...] = (0, 1, 2)
    """Processes that read ahead; 0: the training process."""
    share: float = 1.0
    """Of the pictures of each data set; less only to see that this works."""
    rounds: int = 5
    """Turns of every contender."""
    seconds: float = 2.0
    """Of one turn, about."""
    steps: int = 4
    """Training steps a turn."""
    threads: int = 0
    """Of the training step, and of making the cache; 0: all cores."""
    device: str = "cpu"
    """cpu or cuda: of the training step and the last table."""
    augmented: tuple[int, ...] = (1, 16)
    """Batch sizes for the changes on the device, of 256 x 256 px."""
    json: Path | None = None
    """Where to write all figures."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: samples a second, the median and the quarters of the turns below and above."""

    kind: str
    path: str
    workers: int | None
    median: float
    lower: float
    upper: float
    of_step: float | None = None
    """Times what the training step takes."""


def main(options: Options) -> None:
    """Print tables in Markdown."""
    threads = options.threads or usable_cores()
    torch.set_num_threads(threads)
    told = description(torch.device(options.device), threads)
    print(f"{told}\n\n| data set | path | workers | samples/s (quartiles) | times the step |\n|---|---|---|---|---|")
    rows: list[Row] = []
    beside: list[Row] = []
    for name in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            found, made = _measured(name, Path(folder), options, threads)
            rows += found
            beside.append(made)
        for row in found:
            workers = "" if row.workers is None else row.workers
            print(f"| {row.kind} | {row.path} | {workers} | {_speed(row)} | {row.of_step:.2f} |")
    print("\n| what | samples/s (quartiles) |\n|---|---|")
    beside += [_augmented(batch, options) for batch in options.augmented]
    for row in beside:
        print(f"| {row.kind}, {row.path} | {_speed(row)} |")
    if options.json is not None:
        document = {"machine": told, "rows": [asdict(row) for row in rows], "beside": [asdict(row) for row in beside]}
        options.json.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _speed(row: Row) -> str:
    digits = 0 if row.median >= 100 else 1 if row.median >= 10 else 2
    return f"{row.median:.{digits}f} ({row.lower:.{digits}f} to {row.upper:.{digits}f})"


def _measured(name: str, folder: Path, options: Options, threads: int) -> tuple[list[Row], Row]:
    """All paths and the step of one kind, and how fast its cache is made."""
    kind = KINDS[name]
    kind.draw(folder / "data", options.share)
    device = torch.device(options.device)
    recipe, data = _opened(kind, folder / "data", device, threads)
    began = time.perf_counter()
    cached = data.cached(Store(folder=folder / "cache", threads=threads))
    rate = len(data.train) / (time.perf_counter() - began)
    size = sum(path.stat().st_size for path in (folder / "cache").glob("*/*"))
    words = f"making the cache with {threads} threads ({size / len(data.train) / 1e6:.2f} MB a sample)"
    made = Row(kind=name, path=words, workers=None, median=rate, lower=rate, upper=rate)
    session = open_session(recipe, data, device, Processes(), 0)
    contenders: dict[tuple[str, int | None], Callable[[], float]] = {
        (path, workers): partial(_read, source.train, recipe, workers, options.seconds)
        for workers in options.workers
        for path, source in (("files", data), ("cache", cached))
    }
    contenders[STEP, None] = partial(_step, session, _batch(session), options.steps)
    rates = _rates(contenders, options.rounds)
    step = rates[STEP, None].median
    found = [
        Row(kind=name, path=path, workers=workers, of_step=rate.median / step, **asdict(rate))
        for (path, workers), rate in rates.items()
    ]
    return found, made


def _opened(kind: Kind, folder: Path, device: torch.device, threads: int) -> tuple[Recipe[Any], Data]:
    recipe = replace(recipe_named(kind.recipe), data=str(folder), threads=threads, length=Length(images=10**9))
    recipe = replace(recipe, augmentation=replace(recipe.augmentation, **kind.augmentation))
    recipe, data = kit_of(recipe).open_data(recipe)
    return resolve(recipe, pictures=len(data.train), device=device), data


@dataclass(frozen=True, kw_only=True)
class _Rate:
    """Samples a second: the median over the turns, and the quarters of them below and above."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, taken: Sequence[float]) -> "_Rate":
        timing = summary([1 / rate for rate in taken])
        return cls(median=1 / timing.median_sec, lower=1 / timing.upper_sec, upper=1 / timing.lower_sec)


def _rates(contenders: Mapping[Any, Callable[[], float]], rounds: int) -> dict[Any, _Rate]:
    """Each once a round, in an order that turns; the first round warms up."""
    names = list(contenders)
    taken: dict[Any, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            rate = contenders[name]()
            if turn:
                taken[name].append(rate)
    return {name: _Rate.of(values) for name, values in taken.items()}


def _read(source: BatchSource, recipe: Recipe[Any], workers: int, seconds: float) -> float:
    """Samples a second of the stream, after what workers have read ahead."""
    batches = loader(source, batch_size=recipe.batch_size, seed=0, workers=workers)
    try:
        for _ in islice(batches, 2 * workers + 2):
            pass
        return recipe.batch_size * _batches_per_sec(batches, seconds)
    finally:
        batches.close()


def _batches_per_sec(batches: Iterator[object], seconds: float) -> float:
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        next(batches)
        count += 1
    return count / (time.perf_counter() - began)


def _batch(session: Session) -> Mapping[str, Tensor]:
    stream = session.stream()
    try:
        return stream()
    finally:
        stream.batches.close()


def _step(session: Session, batch: Mapping[str, Tensor], steps: int) -> float:
    """Samples a second that training takes where its batch is there already."""
    device = session.engine.device
    before = session.engine.images
    synchronise(device)
    began = time.perf_counter()
    for _ in range(steps):
        session.engine.play(lambda: batch)
    synchronise(device)
    return (session.engine.images - before) / (time.perf_counter() - began)


def _augmented(size: int, options: Options) -> Row:
    """Turned, enlarged, mirrored and coloured, all at once, by kornia."""
    colour = ColourJitter(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05)
    config = DeviceAugmentation(flip=True, vertical_flip=True, rotate_degrees=10, scale=0.1, colour_b=colour)
    augmenter = DeviceAugmenter(config, {"b": (Picture(name="b", channels=3),)}, seed=0, paired=True)
    device = torch.device(options.device)
    batch = {"b": torch.rand((size, 3, 256, 256), device=device) * 2 - 1}

    def changed() -> None:
        augmenter(batch, position=0)
        synchronise(device)

    words = f"changes of {size} at once on the device"
    timing = alternately({words: changed}, rounds=3 * options.rounds, warm_up=2)[words]
    return Row(
        kind="256 px",
        path=words,
        workers=None,
        median=size / timing.median_sec,
        lower=size / timing.upper_sec,
        upper=size / timing.lower_sec,
    )


if __name__ == "__main__":
    main(tyro.cli(Options))
