"""What int8 and bf16 gain in time and cost in quality: `python -m benchmarks.inexact PHOTOS`.

PHOTOS is a folder with `validation`, on whose pictures int8 is calibrated, and `test`, on which all figures are taken
(`pixturn example photos PHOTOS`). The shipped bundles are run: x2 on photos reduced to half, held against the photos;
colourise on grey ones, against the photos; lineart has no target among photos, and is held against fp32 alone.
PSNR is of all values together, peak 255; times are medians of calls that take turns, each over all pictures.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
import tyro
from numpy.typing import NDArray
from PIL import Image

import pipelines
from benchmarks.machine import description
from benchmarks.timing import alternately
from pipelines.load import require_translator
from pipelines.runs import bundle_of
from pipelines.tasks import Translate
from translate.card import Card
from translate.data.headers import EXTENSIONS
from translate.data.pictures import read_picture
from translate.export.graph import set_card
from translate.export.precision import quantise
from translate.runtime.codec import codec_for
from translate.runtime.cores import usable_cores
from translate.runtime.integrity import sidecar, sidecar_line
from translate.runtime.peek import peek_card

Pixels = NDArray[np.uint8]
"""H x W x C."""
EXACT: Final = "ONNX Runtime fp32"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure."""

    photos: tyro.conf.Positional[Path]
    """A folder with validation and test photos."""
    bundles: tuple[str, ...] = ("x2", "colourise", "lineart")
    """Which shipped models."""
    side_px: int = 256
    """Photos are cut to squares of this side, from the middle of the photo reduced to 1.5 times it."""
    most: int = 16
    """Photos of each folder."""
    rounds: int = 3
    """Runs over all test photos, of every engine."""
    out: Path | None = None
    """Where to write all figures as JSON."""


def main(options: Options) -> None:
    """Print a table in Markdown."""
    print(description(torch.device("cpu"), usable_cores()))
    calibration, tested = (_photos(options.photos / name, options) for name in ("validation", "test"))
    print("\n| bundle | engine | ms a picture (quartiles) | times fp32 | PSNR against fp32 | against the photo |")
    print("|---|---|---|---|---|---|")
    rows = list[dict[str, Any]]()
    for name in options.bundles:
        with tempfile.TemporaryDirectory() as folder:
            rows += _rows(name, Path(folder), calibration, tested, options)
    if options.out is not None:
        options.out.write_text(json.dumps(rows, indent=2) + "\n")


def _rows(
    name: str, folder: Path, calibration: Sequence[Pixels], tested: Sequence[Pixels], options: Options
) -> list[dict[str, Any]]:
    path = bundle_of(name)
    card = peek_card(path) if path else None
    if path is None or card is None:
        raise SystemExit(f"There is no bundle {name}")
    engines = _engines(path, _int8(path, card, [_input_of(card, photo) for photo in calibration], folder))
    inputs = [_input_of(card, photo) for photo in tested]
    made = {engine: [_made(translate, picture) for picture in inputs] for engine, translate in engines.items()}
    calls = {engine: partial(_all, translate, inputs) for engine, translate in engines.items()}
    timings = alternately(calls, rounds=options.rounds)
    rows = list[dict[str, Any]]()
    for engine, timing in timings.items():
        exact, target = _psnr_db(made[engine], made[EXACT]), _psnr_db(made[engine], tested) if _has_target(card) else ""
        ms, lower, upper = (
            1e3 * value / len(inputs) for value in (timing.median_sec, timing.lower_sec, timing.upper_sec)
        )
        ratio = timings[EXACT].median_sec / timing.median_sec
        print(
            f"| {name} | {engine} | {ms:.0f} ({lower:.0f} to {upper:.0f}) | {ratio:.2f} | {exact} | {target} |",
            flush=True,
        )
        rows.append(
            {"bundle": name, "engine": engine, "against_fp32": exact, "against_photo": target, **asdict(timing)}
        )
    return rows


def _engines(path: Path, int8: Path) -> Mapping[str, Translate]:
    load: Callable[..., Translate] = lambda *given, **how: require_translator(pipelines.load(*given, **how))  # noqa: E731
    return {
        EXACT: load(path, device="cpu"),
        "ONNX Runtime int8": load(int8, device="cpu"),
        "OpenVINO fp32": load(path, device="openvino"),
        "OpenVINO int8": load(int8, device="openvino"),
        "OpenVINO bf16": load(path, device="openvino", compute="bf16"),
    }


def _int8(path: Path, card: Card, pictures: Sequence[Pixels], folder: Path) -> Path:
    codec, port = codec_for(card), card.input_pictures[0].name
    model = quantise(onnx.load(path), [dict(codec.encode([{port: picture}])) for picture in pictures])
    set_card(model, replace(card, precision="int8"))
    data, target = model.SerializeToString(), folder / path.name
    target.write_bytes(data)
    sidecar(target).write_bytes(sidecar_line(target.name, data))
    return target


def _photos(folder: Path, options: Options) -> list[Pixels]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS)[: options.most]
    if not files:
        raise SystemExit(f"{folder}: there is no picture in this folder")
    return [_square(read_picture(path), options.side_px) for path in files]


def _square(pixels: Pixels, side_px: int) -> Pixels:
    height, width = pixels.shape[:2]
    shrink = 1.5 * side_px / min(height, width)
    size = round(width * shrink), round(height * shrink)
    reduced = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    top, left = (size[1] - side_px) // 2, (size[0] - side_px) // 2
    return reduced[top : top + side_px, left : left + side_px]


def _input_of(card: Card, photo: Pixels) -> Pixels:
    """What a bundle is given for a photo: reduced for one that enlarges, grey for one that takes grey."""
    image = Image.fromarray(photo)
    if card.scale > 1:
        side_px = photo.shape[0] // card.scale
        return np.asarray(image.resize((side_px, side_px), Image.Resampling.BICUBIC))
    if card.input_pictures[0].channels == 1:
        return np.asarray(image.convert("L"))[..., np.newaxis]
    return photo


def _has_target(card: Card) -> bool:
    return card.scale > 1 or card.input_pictures[0].channels == 1


def _made(translate: Translate, picture: Pixels) -> Pixels:
    return np.asarray(next(iter(translate.outputs(picture).values())), np.uint8)


def _all(translate: Translate, pictures: Sequence[Pixels]) -> None:
    for picture in pictures:
        translate.outputs(picture)


def _psnr_db(made: Sequence[Pixels], truth: Sequence[Pixels]) -> str:
    """In dB, of the mean squared error over all pictures."""
    square = np.mean([np.square(one.astype(np.float64) - other).mean() for one, other in zip(made, truth, strict=True)])
    return f"{10 * np.log10(255**2 / square):.2f}" if square > 0 else "equal"


if __name__ == "__main__":
    main(tyro.cli(Options))
