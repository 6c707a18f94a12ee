"""Makes and writes what an order asks for: samples, a sheet, a walk, or numbers."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.generating import sheets
from pipelines.generating.animation import write_gif, write_mp4
from pipelines.generating.finding import Finding, write_finding
from pipelines.generating.folder import write_samples
from pipelines.generating.generate import Advance, Generate, image_of
from pipelines.generating.neighbours import nearest, nearness
from pipelines.generating.order import Kind, Order
from pipelines.generating.references import read_references
from pipelines.generating.views import COLUMNS, Sheet, class_sheet, code_sheet
from pipelines.generating.walk import STOPS, walk
from pipelines.telling import counted
from translate.data.writing import write_picture
from translate.errors import ConfigurationError
from translate.storage.atomic import room_for, write_atomically

SAMPLES: Final = 64
_ROWS: Final = 8
_NEIGHBOURS: Final = 5


def write_sheet(picture: Image.Image, path: Path) -> None:
    """Write a sheet, whole or not at all."""
    _make_room_for(path)
    write_picture(np.asarray(picture), path)


def write_numbers(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write an .npz, whole or not at all."""
    _make_room_for(path)
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # pyright: ignore[reportArgumentType] - it takes arrays by any name
    write_atomically(path, buffer.getvalue())


def _make_room_for(path: Path) -> None:
    with room_for(path, 0):
        path.parent.mkdir(parents=True, exist_ok=True)


def _folder(generate: Generate, order: Order, progress: Advance) -> str:
    inputs = order.draw(generate, SAMPLES)
    write_samples(
        generate, inputs, order.out, seed=order.seed, spread=order.spread, batch=order.batch, progress=progress
    )
    return f"{counted(order.count(SAMPLES), 'sample')} in {order.out}"


def _grid(generate: Generate, order: Order, progress: Advance) -> str:
    pictures = generate.pictures(order.draw(generate, SAMPLES), batch=order.batch, progress=progress)
    write_sheet(sheets.grid(pictures, columns=order.columns), order.out)
    return str(order.out)


def _classes(generate: Generate, order: Order, progress: Advance) -> str:
    columns = order.columns or COLUMNS
    sheet = class_sheet(
        generate,
        columns=columns,
        seed=order.seed,
        label=order.label,
        codes=order.codes,
        spread=order.spread,
        batch=order.batch,
        progress=progress,
    )
    return _titled(sheet, order.out)


def _codes(generate: Generate, order: Order, progress: Advance) -> str:
    sheet = code_sheet(
        generate,
        columns=order.columns or COLUMNS,
        seed=order.seed,
        label=order.label,
        codes=order.codes,
        dimension=order.dimension,
        spread=order.spread,
        batch=order.batch,
        progress=progress,
    )
    return _titled(sheet, order.out)


def _titled(sheet: Sheet, path: Path) -> str:
    write_sheet(sheet.picture, path)
    return f"{path}: rows are {'; '.join(sheet.titles)}"


def _gif(generate: Generate, order: Order, progress: Advance) -> str:
    frames = _frames(generate, order, progress)
    write_gif(frames, order.out)
    return f"{order.out}: {len(frames)} frames"


def _mp4(generate: Generate, order: Order, progress: Advance) -> str:
    frames = _frames(generate, order, progress)
    write_mp4(frames, order.out)
    return f"{order.out}: {len(frames)} frames"


def _frames(generate: Generate, order: Order, progress: Advance) -> list[Image.Image]:
    inputs = walk(
        generate,
        stops=order.count(STOPS),
        frames=order.frames,
        seed=order.seed,
        label=order.label[0] if order.label else None,
        codes=order.codes,
        spread=order.spread,
    )
    _make_room_for(order.out)
    return list(generate.pictures(inputs, batch=order.batch, progress=progress))


def _numbers(generate: Generate, order: Order, progress: Advance) -> str:
    inputs = order.draw(generate, SAMPLES)
    arrays = {**inputs, **generate.run(inputs, batch=order.batch, progress=progress)}
    write_numbers(arrays, order.out)
    shapes = (f"{name} {' x '.join(map(str, array.shape))}" for name, array in arrays.items())
    return f"{order.out}: {', '.join(shapes)}"


def _neighbours(generate: Generate, order: Order, progress: Advance) -> str:
    if order.neighbours is None:
        raise ConfigurationError("--neighbours DIR says where the training pictures are")
    training = read_references(order.neighbours, generate.picture, progress=progress)
    held_out = read_references(order.held_out, generate.picture).pictures if order.held_out else None
    samples = np.stack(list(generate.pixels(order.draw(generate, SAMPLES), batch=order.batch)))
    found = nearest(samples, training.pictures, k=order.columns or _NEIGHBOURS)
    finding = Finding(nearness=nearness(found, training.pictures, held_out), neighbours=found, paths=training.paths)
    rows = [[samples[row], *training.pictures[found.places[row]]] for row in range(min(_ROWS, len(samples)))]
    write_sheet(sheets.rows([list(map(image_of, row)) for row in rows]), order.out)
    write_finding(finding, order.out.with_suffix(".json"))
    return f"{order.out}: {finding.nearness.sentence}"


OUTPUTS: dict[Kind, Callable[[Generate, Order, Advance], str]] = {
    "folder": _folder,
    "grid": _grid,
    "classes": _classes,
    "codes": _codes,
    "gif": _gif,
    "mp4": _mp4,
    "npz": _numbers,
    "neighbours": _neighbours,
}
"""How each kind is made and written; each says in words what lies where."""
