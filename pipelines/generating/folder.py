"""Samples as a folder: numbered PNG files, and `samples.json` that says how each was made."""

import json
from pathlib import Path
from typing import Any

from pipelines.generating.generate import BATCH, Advance, Generate
from pipelines.generating.inputs import Inputs
from translate.data.writing import write_picture
from translate.errors import ConfigurationError
from translate.storage.atomic import room_for, write_atomically
from translate.storage.whole import written_whole

SAMPLES = "samples.json"
_DIGITS = 6


def write_samples(
    generate: Generate,
    inputs: Inputs,
    folder: Path,
    *,
    seed: int = 0,
    spread: float = 1.0,
    batch: int = BATCH,
    progress: Advance | None = None,
) -> None:
    """Write the samples that `Generate.draw` gave the inputs of, whole or not at all; seed and spread are told.

    Raises:
        ConfigurationError: something is in the folder already, or the model makes no pictures.
        StorageError: the disk does not take it.
    """
    require_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    port, count = generate.picture, len(next(iter(inputs.values())))
    need_bytes = count * port.height_px * port.width_px * port.channels
    with room_for(folder, need_bytes), written_whole(folder) as unfinished:
        for index, pixels in enumerate(generate.pixels(inputs, batch=batch, progress=progress)):
            write_picture(pixels, unfinished / _name(index))
        write_atomically(unfinished / SAMPLES, json.dumps(_told(generate, inputs, count, seed, spread), indent=2))


def require_free(folder: Path) -> None:
    """Raises ConfigurationError where something is in the way of a folder of samples."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ConfigurationError(f"-o {folder}: something is there already; choose another folder, or remove it")


def _name(index: int) -> str:
    return f"{index:0{_DIGITS}d}.png"


def _told(generate: Generate, inputs: Inputs, count: int, seed: int, spread: float) -> dict[str, Any]:
    card = generate.card
    return {
        "model": card.name,
        "method": card.method,
        "recipe_sha256": card.recipe_sha256,
        "images_seen": card.images_seen,
        "device": generate.device,
        "seed": seed,
        "spread": spread,
        "samples": [
            {"file": _name(index), "index": index, **_class(generate, inputs, index)} for index in range(count)
        ],
    }


def _class(generate: Generate, inputs: Inputs, index: int) -> dict[str, Any]:
    port = generate.inputs.label
    if port is None:
        return {}
    number = int(inputs[port.name][index])
    return {"class": number} | ({"name": port.names[number]} if port.names else {})
