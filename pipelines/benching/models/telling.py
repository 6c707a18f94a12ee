"""A model's results as a table, as sentences, and as plain data; and the command lines to use."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from math import isinf
from typing import Any

from pipelines.benching.models.results import ModelResults, Row
from pipelines.benching.models.ways import FOLDER, PICTURE

HEADS = (
    "engine",
    "px",
    "ms a picture (quartiles)",
    "times the first",
    "pictures/s (batch)",
    "load s",
    "first picture s",
    "memory MB",
    "off by",
)


def lines(results: ModelResults) -> list[tuple[str, ...]]:
    """The table, by size and then by way; its heads are HEADS."""
    measured = ((row, side_px) for side_px in results.sizes_px for row in results.rows if side_px in row.single)
    return [_line(results, row, side_px) for row, side_px in measured]


def command(row: Row, *, is_folder: bool) -> str:
    """The command line that runs a picture, or a folder, so."""
    if not is_folder:
        return shlex.join(row.way.command(row.card, source=PICTURE))
    batches = [stream.batch for stream in row.stream.values()]
    return shlex.join(row.way.command(row.card, source=FOLDER, batch=batches[0] if batches else None))


def advice(results: ModelResults) -> Iterator[str]:
    """What to tell below the table, the command lines last."""
    base = _base_words(results)
    yield f"Off by: the largest and the mean difference from {base}, in levels of 255, on {results.picture}"
    yield from (f"Not measured: {words}" for words in (*results.missing, *results.failed))
    for row in results.rows:
        if row.beyond:
            yield f"{row.way.words} is not recommended: {'; '.join(row.beyond)}"
    quickest, most = results.quickest, results.most
    if quickest is None:
        yield "Nothing was measured: no engine to recommend"
        return
    yield f"Fastest for one picture ({_gain(results, quickest)}; {_off(quickest)}):"
    yield f"  {command(quickest, is_folder=False)}"
    if most is not None:
        yield f"Fastest for a folder ({_stream_gain(results, most)}; {_off(most)}):"
        yield f"  {command(most, is_folder=True)}"


def document(results: ModelResults) -> dict[str, Any]:
    """Everything that was measured, as plain data."""
    quickest, most = results.quickest, results.most
    return {
        "model": results.model,
        "picture": results.picture,
        "rows": [_row_document(results, row, side_px) for row in results.rows for side_px in row.single],
        "not_measured": [*results.missing, *results.failed],
        "fastest_picture": None if quickest is None else command(quickest, is_folder=False),
        "fastest_folder": None if most is None else command(most, is_folder=True),
    }


def _line(results: ModelResults, row: Row, side_px: int) -> tuple[str, ...]:
    timing, stream, gain = row.single[side_px], row.stream[side_px], results.gain(row, side_px)
    return (
        row.way.words,
        str(side_px),
        f"{_ms(timing.median_sec)} ({_ms(timing.lower_sec)} to {_ms(timing.upper_sec)})",
        "" if gain is None else f"{gain:.2f}",
        f"{stream.pictures_per_sec:.3g} ({stream.batch})",
        f"{row.load_sec:.2f}",
        "" if row.fresh is None else f"{row.fresh.first_picture_sec:.2f}",
        "" if row.fresh is None else f"{row.fresh.memory_mb:,.0f}",
        _off(row),
    )


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f}" if seconds >= 0.1 else f"{1e3 * seconds:.1f}"


def _off(row: Row) -> str:
    if row.agreement is None:
        return "0"
    return f"{row.agreement.levels:.0f}, {row.agreement.mean_levels:.2g}"


def _base_words(results: ModelResults) -> str:
    return results.base.way.words if results.base else "the first"


def _gain(results: ModelResults, row: Row) -> str:
    gains = [gain for side_px in results.sizes_px if (gain := results.gain(row, side_px)) is not None]
    return f"{_span(gains)} times {_base_words(results)}"


def _stream_gain(results: ModelResults, row: Row) -> str:
    base = results.base
    common = [side_px for side_px in row.stream if base is not None and side_px in base.stream]
    gains = [row.stream[px].pictures_per_sec / base.stream[px].pictures_per_sec for px in common if base is not None]
    return f"{_span(gains)} times {_base_words(results)}"


def _span(gains: list[float]) -> str:
    if not gains:
        return "?"
    least, most = f"{min(gains):.2f}", f"{max(gains):.2f}"
    return least if least == most else f"{least} to {most}"


def _row_document(results: ModelResults, row: Row, side_px: int) -> dict[str, Any]:
    agreement, stream = row.agreement, row.stream[side_px]
    return {
        "engine": row.way.words,
        "model": row.way.name,
        "device": row.way.device,
        "compute": row.way.compute,
        "size_px": side_px,
        **asdict(row.single[side_px]),
        "times_first": results.gain(row, side_px),
        "stream_pictures_per_sec": stream.pictures_per_sec,
        "stream_batch": stream.batch,
        "load_sec": row.load_sec,
        "first_picture_sec": row.fresh.first_picture_sec if row.fresh else None,
        "memory_mb": row.fresh.memory_mb if row.fresh else None,
        "largest_difference_levels": agreement.levels if agreement else None,
        "mean_difference_levels": agreement.mean_levels if agreement else None,
        "psnr_db": agreement.psnr_db if agreement and not isinf(agreement.psnr_db) else None,
        "beyond_its_bar": list(row.beyond),
    }
