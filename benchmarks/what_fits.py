"""What fits on your card: the largest batch and crop of a training run, computed without a GPU; and checks of it.

    python -m benchmarks.what_fits --out what_fits.json
    python -m benchmarks.what_fits --check cpu      # what a process of its own really takes
    python -m benchmarks.what_fits --check cuda     # what torch really allocates, on a card

Prints Markdown and writes JSON. See `pipelines.training.fitting` for what the estimate holds.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from pipelines.benching.training.batches import with_known_domains
from pipelines.recipes import recipe_named
from pipelines.training.fitting import GIB, batch_of, largest, peak_bytes, usable_bytes
from pipelines.training.session import build_method
from translate.engine import Engine
from translate.recipe import Precision, Recipe

RECIPES = ("pix2pix", "cyclegan", "esrgan", "compact", "lama")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
STEP_PX = 256
"""Crops are looked for in steps that every network takes: pix2pix halves its picture eight times."""
_MEASURE = "measure"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to look at."""

    recipes: tuple[str, ...] = RECIPES
    """Names of recipes."""
    precisions: tuple[Precision, ...] = PRECISIONS
    """fp32, bf16, fp16."""
    recompute: tuple[bool, ...] = (False, True)
    """Without recomputing maps backwards, and with it."""
    cards_gb: tuple[int, ...] = (8, 16, 24, 80)
    """Memory of the cards, in GB of 2^30 bytes."""
    crops: bool = True
    """Look for the largest crop at batch size 1, too."""
    check: Literal["no", "cpu", "cuda"] = "no"
    """Compare the estimate with what two iterations really take."""
    check_batch_sizes: tuple[int, ...] = (1, 4)
    """Batch sizes of the check."""
    out: Path | None = None
    """Where to write JSON."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recipe at one precision, with or without recomputation; batch sizes and crops by card."""

    recipe: str
    precision: Precision
    recompute: bool
    crop_px: int
    batch_sizes: tuple[int, ...]
    crops_px: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Check:
    """An estimate beside the truth."""

    recipe: str
    precision: Precision
    recompute: bool
    batch_size: int
    estimate_mb: float
    measured_mb: float


def variants(options: Options) -> Iterator[tuple[str, Recipe[Any]]]:
    """Every recipe that was asked for, at every precision, without and with recomputation."""
    for name in options.recipes:
        for precision in options.precisions:
            for recompute in options.recompute:
                yield name, _variant(name, precision, recompute)


def _variant(name: str, precision: Precision, recompute: bool) -> Recipe[Any]:
    """Of RGB pictures, where it takes what the data set has."""
    recipe = with_known_domains(recipe_named(name), "rgb")
    return replace(recipe, precision=precision, layout="plain", recompute=recompute)


def row_of(name: str, recipe: Recipe[Any], options: Options) -> Row:
    """What fits of one variant."""

    def by_batch(size: int) -> int:
        return peak_bytes(recipe, batch_size=size)

    def by_crop(steps: int) -> int:
        return peak_bytes(recipe, batch_size=1, crop_px=steps * STEP_PX)

    known_batches, known_crops = dict[int, int](), dict[int, int]()  # what one card's search found helps the next
    usable = [usable_bytes(gb * GIB) for gb in options.cards_gb]
    return Row(
        recipe=name,
        precision=recipe.precision,
        recompute=recipe.recompute,
        crop_px=recipe.augmentation.crop_px,
        batch_sizes=tuple(largest(by_batch, available, known=known_batches) for available in usable),
        crops_px=tuple(STEP_PX * largest(by_crop, available, known=known_crops) for available in usable)
        if options.crops
        else (),
    )


def table(rows: list[Row], cards_gb: tuple[int, ...]) -> str:
    """The rows as Markdown: batch size, and the crop at batch size 1, by card."""
    titles = ["recipe", "crop", "precision", "recompute", *(f"{gb} GB" for gb in cards_gb)]
    lines = [_line(titles), _line(["---"] * len(titles))]
    for row in rows:
        crops = row.crops_px or ("",) * len(row.batch_sizes)
        cells = [
            f"{batch} / {crop} px" if crop else str(batch) for batch, crop in zip(row.batch_sizes, crops, strict=True)
        ]
        spared = "yes" if row.recompute else "no"
        lines.append(_line([row.recipe, f"{row.crop_px} px", row.precision, spared, *cells]))
    return "\n".join(lines)


def check_table(checks: list[Check]) -> str:
    """Estimates beside truths as Markdown."""
    titles = ["recipe", "precision", "recompute", "batch", "estimate, MB", "measured, MB", "measured / estimate"]
    lines = [_line(titles), _line(["---"] * len(titles))]
    for each in checks:
        figures = [f"{each.estimate_mb:.0f}", f"{each.measured_mb:.0f}", f"{each.measured_mb / each.estimate_mb:.2f}"]
        spared = "yes" if each.recompute else "no"
        lines.append(_line([each.recipe, each.precision, spared, str(each.batch_size), *figures]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def checked(name: str, recipe: Recipe[Any], batch_size: int, device: str) -> Check:
    """The estimate, and what a process of its own took."""
    command = [sys.executable, "-m", "benchmarks.what_fits", _MEASURE, name, recipe.precision, str(recipe.recompute)]
    # glibc then gives back what is free: otherwise its holes are measured.
    environment = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        ["env", *(f"{key}={value}" for key, value in environment.items()), *command, str(batch_size), device],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return Check(
        recipe=name,
        precision=recipe.precision,
        recompute=recipe.recompute,
        batch_size=batch_size,
        estimate_mb=peak_bytes(recipe, batch_size=batch_size) / 2**20,
        measured_mb=float(done.stdout.splitlines()[-1]),
    )


def measure_mb(recipe: Recipe[Any], device: torch.device) -> float:
    """What two iterations take, beyond what Python and its libraries took before."""
    warm_up = torch.nn.Conv2d(3, 3, 3).to(device)
    warm_up(torch.zeros(1, 3, 8, 8, device=device)).sum().backward()
    gc.collect()
    before_mb = _resident_mb("VmRSS")
    batch = {name: tensor.to(device) for name, tensor in batch_of(recipe.spec()).items()}
    engine = Engine(build_method(recipe), recipe, device)
    for _ in range(2):
        engine.iteration = 0
        engine.play(lambda: batch)
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return _resident_mb("VmHWM") - before_mb


def _resident_mb(which: str) -> float:
    # Not getrusage: its peak starts with that of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


def main(options: Options) -> None:
    """Print tables and write JSON."""
    rows, checks = list[Row](), list[Check]()
    for name, recipe in variants(options):
        if options.check == "no":
            rows.append(row_of(name, recipe, options))
            print(asdict(rows[-1]), file=sys.stderr, flush=True)
        else:
            checks += [checked(name, recipe, size, options.check) for size in options.check_batch_sizes]
            print(asdict(checks[-1]), file=sys.stderr, flush=True)
    print(table(rows, options.cards_gb) if rows else check_table(checks))
    if options.out is not None:
        document = {"rows": [asdict(row) for row in rows], "checks": [asdict(check) for check in checks]}
        options.out.write_text(
            json.dumps({**document, "cards_gb": options.cards_gb, "torch": torch.__version__}, indent=1)
        )


def _measure(name: str, precision: Precision, recompute: str, batch_size: str, device: str) -> None:
    recipe = _variant(name, precision, recompute == "True")
    print(measure_mb(replace(recipe, batch_size=int(batch_size)), torch.device(device)))


if __name__ == "__main__":
    if sys.argv[1:2] == [_MEASURE]:
        _measure(*sys.argv[2:])  # pyright: ignore[reportArgumentType] - what this file wrote itself
    else:
        main(tyro.cli(Options))
