"""A recipe's results as a table, as sentences, and as plain data; and the command line to use."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pipelines.benching.training.results import Row, TrainingResults
from translate.recipe import Recipe

HEADS = ("setting", "batch", "ms an iteration (quartiles)", "pictures/s", "times plain", "memory")


def lines(results: TrainingResults) -> list[tuple[str, ...]]:
    """The table, the fastest first; its heads are HEADS."""
    rows = sorted(results.rows, key=lambda row: row.pictures_per_sec, reverse=True)
    return [_line(results, row) for row in rows]


def command(results: TrainingResults, row: Row, recipe: Recipe[Any], *, crop_px: int | None = None) -> str:
    """The command line that trains so.

    Args:
        results: says how many threads a run takes if it is not told.
        row: the setting.
        recipe: as its name gives it.
        crop_px: side of the crops, where it was not the recipe's.
    """
    words = ["pixturn", "train", results.recipe, "--data", "DIR"]
    words += row.setting.options(recipe, all_threads=results.all_threads)
    if crop_px is not None and crop_px != recipe.augmentation.crop_px:
        words += ["--augmentation.crop-px", str(crop_px)]
        if crop_px > recipe.augmentation.load_px:
            words += ["--augmentation.load-px", str(crop_px)]
    return shlex.join(words)


def advice(results: TrainingResults, recipe: Recipe[Any], *, crop_px: int | None = None) -> Iterator[str]:
    """What to tell below the table, the command line last."""
    for failed in results.failed:
        yield f"Not measured: {failed.setting}: {failed.reason}"
    for row in results.rows:
        if row.setting.compile:
            yield _compiling(results, row)
    fastest, same = results.fastest, results.fastest_at_own_batch
    if fastest is None:
        yield "Nothing was measured: no setting to recommend"
        return
    yield from _remarks(fastest, recipe)
    if same is not None and same != fastest:
        yield f"Fastest at batches of {same.setting.batch_size} ({_gains(results, same)}):"
        yield f"  {command(results, same, recipe, crop_px=crop_px)}"
    yield f"Fastest ({_gains(results, fastest)}):"
    yield f"  {command(results, fastest, recipe, crop_px=crop_px)}"


def document(results: TrainingResults, recipe: Recipe[Any], *, crop_px: int | None = None) -> dict[str, Any]:
    """Everything that was measured, as plain data."""
    fastest = results.fastest
    return {
        "recipe": results.recipe,
        "device": results.device,
        "crop_px": crop_px or recipe.augmentation.crop_px,
        "rows": [_row_document(results, row) for row in results.rows],
        "not_measured": [asdict(failed) for failed in results.failed],
        "fastest": None if fastest is None else command(results, fastest, recipe, crop_px=crop_px),
    }


def _line(results: TrainingResults, row: Row) -> tuple[str, ...]:
    timing, setting = row.timing, row.setting
    mark = " (without options)" if setting == results.usual else ""
    memory = "" if row.memory_bytes is None else f"{row.memory_bytes / 1e9:.1f} GB"
    quartiles = f"({_ms(timing.lower_sec)} to {_ms(timing.upper_sec)})"
    speed = f"{row.pictures_per_sec:.3g}"
    return (
        f"{setting.words}{mark}",
        str(setting.batch_size),
        f"{_ms(timing.median_sec)} {quartiles}",
        speed,
        f"{results.gain(row):.2f}",
        memory,
    )


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.1f}"


def _compiling(results: TrainingResults, row: Row) -> str:
    words = f"{row.setting.words}, batch {row.setting.batch_size}: compiling took {row.compile_sec:.0f} s"
    images = results.pays_after_images(row)
    if images is None:
        return f"{words}, and never pays: it is no faster than the fastest without"
    return f"{words}, and pays after {images:,.0f} pictures ({images / row.pictures_per_sec / 60:.0f} minutes)"


def _remarks(row: Row, recipe: Recipe[Any]) -> Iterator[str]:
    if row.setting.precision == "bf16":
        yield "bf16 is for products; weights, sums and losses stay fp32. docs/benchmarks.md has the scores of both"
    if row.setting.precision == "fp16":
        yield "fp16 needs losses to be scaled, which the engine does; steps that overflow are skipped"
    if row.setting.batch_size != recipe.batch_size:
        yield (
            f"A batch of {row.setting.batch_size} learns otherwise than one of {recipe.batch_size}: the "
            "learning rate is to follow it (--rate-rule, and --schedule.warmup-images for a tenth of the run), and the "
            "scores are to be looked at; docs/benchmarks.md"
        )


def _gains(results: TrainingResults, row: Row) -> str:
    usual = results.row(results.usual)
    gain = f"{results.gain(row):.2f} times plain fp32"
    if usual is None:
        return gain
    return f"{gain}, {row.pictures_per_sec / usual.pictures_per_sec:.2f} times what no options give"


def _row_document(results: TrainingResults, row: Row) -> dict[str, Any]:
    return {
        **asdict(row.setting),
        **asdict(row.timing),
        "pictures_per_sec": row.pictures_per_sec,
        "times_plain": results.gain(row),
        "compile_sec": row.compile_sec,
        "compiling_pays_after_images": results.pays_after_images(row),
        "memory_bytes": row.memory_bytes,
        "is_usual": row.setting == results.usual,
    }
