"""Sheets that show what a generator has learnt: samples, classes beside one another, codes over their range."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from pipelines.generating import sheets
from pipelines.generating.classes import Classes, class_numbers, class_title
from pipelines.generating.generate import BATCH, Advance, Generate
from pipelines.generating.inputs import Inputs
from translate.card import Label, Latent
from translate.errors import ConfigurationError

COLUMNS = 8
_REACH = {"normal": 2.0, "uniform": 1.0}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A picture, and what each of its rows shows in words."""

    picture: Image.Image
    titles: tuple[str, ...]


def class_sheet(
    generate: Generate,
    *,
    columns: int = COLUMNS,
    seed: int = 0,
    label: Classes = None,
    codes: Mapping[str, ArrayLike] | None = None,
    spread: float = 1.0,
    batch: int = BATCH,
    progress: Advance | None = None,
) -> Sheet:
    """A row a class (those of `label`; all, if None); a column shares its noise, and all else but the class.

    Raises:
        ConfigurationError: the model knows no classes.
    """
    port = generate.inputs.label
    if port is None:
        raise ConfigurationError(f"{generate.card.name} knows no classes: make a plain grid")
    numbers = _distinct(port, label)
    plain = generate.draw(columns, seed=seed, codes=codes, spread=spread)
    repeated = {name: np.concatenate([array] * len(numbers)) for name, array in plain.items()}
    repeated[port.name] = np.repeat(np.array(numbers, dtype=np.int64), columns)
    pictures = generate.pictures(repeated, batch=batch, progress=progress)
    titles = tuple(class_title(port, number) for number in numbers)
    return Sheet(picture=sheets.grid(pictures, columns=columns), titles=titles)


def code_sheet(
    generate: Generate,
    *,
    columns: int = COLUMNS,
    seed: int = 0,
    label: Classes = None,
    codes: Mapping[str, ArrayLike] | None = None,
    dimension: int | None = None,
    spread: float = 1.0,
    batch: int = BATCH,
    progress: Advance | None = None,
) -> Sheet:
    """The first code after the noise runs from end to end over the columns: -1 to 1, or -2 to 2 of a normal one.

    Nothing else changes (Chen et al. 2016, figure 2).

    Args:
        generate: the model.
        columns: steps, the ends included.
        seed: of the noise and the other codes, which are those of sample 0 all over the sheet.
        label: the class of the whole sheet; with `dimension`, the classes of the rows.
        codes: fixed numbers for ports; of the code itself, for the dimensions that a row does not run through.
        dimension: None: a row a dimension of the code. A number: this dimension alone, a row a class.
        spread: scales normal noise.
        batch: pictures that go through the model together.
        progress: told after every batch.

    Raises:
        ConfigurationError: there is no code, or no such dimension.
    """
    code = _code(generate)
    rows = _rows(generate, code, label, dimension)
    by_class = any(row.number is not None for row in rows)
    first = generate.draw(1, seed=seed, label=None if by_class else label, codes=codes, spread=spread)
    inputs = _run_through(first, code, generate.inputs.label, rows, columns)
    pictures = generate.pictures(inputs, batch=batch, progress=progress)
    return Sheet(picture=sheets.grid(pictures, columns=columns), titles=tuple(row.title for row in rows))


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A dimension that a row of a sheet of codes runs through, and its class where rows differ in that."""

    dimension: int
    number: int | None
    title: str


def _rows(generate: Generate, code: Latent, label: Classes, dimension: int | None) -> list[_Row]:
    if dimension is None:
        return [_Row(dimension=each, number=None, title=f"{code.name} {each}") for each in range(code.size)]
    if not 0 <= dimension < code.size:
        raise ConfigurationError(f"--dimension {dimension}: {code.name!r} has the dimensions 0 to {code.size - 1}")
    title, classes = f"{code.name} {dimension}", generate.inputs.label
    if classes is None:
        return [_Row(dimension=dimension, number=None, title=title)]
    return [
        _Row(dimension=dimension, number=number, title=f"{title}, {class_title(classes, number)}")
        for number in _distinct(classes, label)
    ]


def _run_through(first: Inputs, code: Latent, classes: Label | None, rows: list[_Row], columns: int) -> Inputs:
    """The inputs of one sample for every cell of a sheet, but for what each row changes."""
    inputs = {name: np.repeat(array, len(rows) * columns, axis=0) for name, array in first.items()}
    reach = _REACH[code.distribution]
    for place, row in enumerate(rows):
        cells = slice(place * columns, (place + 1) * columns)
        inputs[code.name][cells, row.dimension] = np.linspace(-reach, reach, columns, dtype=np.float32)
        if classes is not None and row.number is not None:
            inputs[classes.name][cells] = row.number
    return inputs


def _code(generate: Generate) -> Latent:
    if not generate.inputs.codes:
        raise ConfigurationError(f"{generate.card.name} has no codes beside its noise: make a plain grid")
    return generate.inputs.codes[0]


def _distinct(port: Label, label: Classes) -> list[int]:
    """The classes that are asked for, each once, in order."""
    count = port.classes if label is None or isinstance(label, int | str) else max(1, len(label))
    return [int(number) for number in dict.fromkeys(class_numbers(port, label, count).tolist())]
