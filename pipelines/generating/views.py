"""Sheets that show what a generator has learnt: samples, classes beside one another, codes over their range."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from pipelines.generating import sheets
from pipelines.generating.classes import Classes, class_numbers, class_title
from pipelines.generating.generate import Advance, Generate
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
    return _sheet(generate, repeated, columns, tuple(class_title(port, number) for number in numbers), progress)


def code_sheet(
    generate: Generate,
    *,
    columns: int = COLUMNS,
    seed: int = 0,
    label: Classes = None,
    port: str | None = None,
    dimension: int | None = None,
    reach: float | None = None,
    spread: float = 1.0,
    progress: Advance | None = None,
) -> Sheet:
    """One code runs from -reach to +reach over the columns, and nothing else changes (Chen et al. 2016, figure 2).

    Args:
        generate: the model.
        columns: steps, the ends included.
        seed: of the noise and the other codes, which are those of sample 0 all over the sheet.
        label: the class of the whole sheet; with `dimension`, the classes of the rows.
        port: the latent to run through; the first one after the noise, if None.
        dimension: None: a row a dimension of the code. A number: this dimension alone, a row a class.
        reach: 1 for uniform codes and 2 for normal ones, if None.
        spread: scales normal noise.
        progress: told after every batch.

    Raises:
        ConfigurationError: there is no such code or dimension.
    """
    code = _code(generate, port)
    if dimension is not None and not 0 <= dimension < code.size:
        raise ConfigurationError(f"{code.name!r} has the dimensions 0 to {code.size - 1}, not {dimension}")
    classes = generate.inputs.label
    by_class = dimension is not None and classes is not None
    numbers = _distinct(classes, label) if classes is not None and by_class else []
    dimensions = range(code.size) if dimension is None else [dimension] * max(1, len(numbers))
    first = generate.draw(1, seed=seed, label=None if by_class else label, spread=spread)
    inputs = {name: np.repeat(array, len(dimensions) * columns, axis=0) for name, array in first.items()}
    if classes is not None and by_class:
        inputs[classes.name] = np.repeat(np.array(numbers, dtype=np.int64), columns)
    steps = _steps(_REACH[code.distribution] if reach is None else reach, columns)
    _run_through(inputs[code.name], dimensions, steps)
    titles = _code_titles(code, dimensions, classes if by_class else None, numbers)
    return _sheet(generate, inputs, columns, titles, progress)


def _code(generate: Generate, name: str | None) -> Latent:
    latents = [port for port in generate.inputs.ports if isinstance(port, Latent)]
    offered = generate.inputs.codes if name is None else [port for port in latents if port.name == name]
    if offered:
        return offered[0]
    names = ", ".join(port.name for port in latents)
    if name is None:
        raise ConfigurationError(
            f"{generate.card.name} has no codes beside its noise; name one of its latents: {names}"
        )
    raise ConfigurationError(f"{generate.card.name} has no latent {name!r}; it has {names}")


def _steps(reach: float, columns: int) -> NDArray[np.float32]:
    return np.linspace(-reach, reach, columns, dtype=np.float32)


def _run_through(rows: NDArray[np.float32], dimensions: range | list[int], steps: NDArray[np.float32]) -> None:
    for row, dimension in enumerate(dimensions):
        rows[row * len(steps) : (row + 1) * len(steps), dimension] = steps


def _code_titles(
    code: Latent, dimensions: range | list[int], classes: Label | None, numbers: list[int]
) -> tuple[str, ...]:
    plain = [f"{code.name} {dimension}" for dimension in dimensions]
    if classes is None:
        return tuple(plain)
    return tuple(f"{title}, {class_title(classes, number)}" for title, number in zip(plain, numbers, strict=True))


def _distinct(port: Label, label: Classes) -> list[int]:
    """The classes that are asked for, each once, in order."""
    count = port.classes if label is None or isinstance(label, int | str) else max(1, len(label))
    return [int(number) for number in dict.fromkeys(class_numbers(port, label, count).tolist())]


def _sheet(
    generate: Generate, inputs: Inputs, columns: int, titles: tuple[str, ...], progress: Advance | None
) -> Sheet:
    return Sheet(picture=sheets.grid(generate.pictures(inputs, progress=progress), columns=columns), titles=titles)
