"""The command line and the Python that do again what was just done on the page."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipelines.batch.results import Format
from pipelines.tasks import INPAINT, UPSCALE
from translate.card import Card

_OWN_COMMAND: Final = (UPSCALE, INPAINT)
"""Tasks with a command of their name."""

_SAVE: Final[Mapping[Format, str]] = {
    "png": "",
    "webp": ", lossless=True, exact=True",
    "jpg": ", quality=95, subsampling=0",
    "tiff": ', compression="tiff_adobe_deflate"',
}
"""What Pillow is told, so that it writes what the command line writes."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """Both, ready to be copied; to be run in the folder where the files are. Some things no command does."""

    python: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How a model is loaded; what is left at its default is not said."""

    spoken: str
    fidelity: float | None = None
    tile_px: int | None = None

    @property
    def options(self) -> list[str]:
        """For the command line."""
        fidelity = [] if self.fidelity is None else ["--fidelity", f"{self.fidelity:g}"]
        return fidelity + ([] if self.tile_px is None else ["--tile-px", str(self.tile_px)])

    @property
    def python(self) -> str:
        """Lines that end with `model = ...`."""
        tiled = "" if self.tile_px is None else f", tiles=Tiles(tile_px={self.tile_px})"
        fidelity = "" if self.fidelity is None else f", fidelity={self.fidelity:g}"
        imports = "import pipelines\n" + ("" if self.tile_px is None else "from pipelines.large import Tiles\n")
        return f"{imports}\nmodel = pipelines.load({quoted(self.spoken)}{fidelity}{tiled})\n"


def picture_again(card: Card, loading: Loading, files: Mapping[str, str], target: str) -> Again:
    """For one picture.

    Args:
        card: the model's.
        loading: how it is loaded.
        files: the names of what goes in, by port, in the ports' order.
        target: the name of the result.
    """
    outputs = [port.name for port in card.outputs]
    first = next(iter(files.values()))
    taken = quoted(first) if len(files) == 1 else _dictionary({port: quoted(name) for port, name in files.items()})
    made = f"model({taken}).save({quoted(target)}{_saving(target)})\n"
    if len(outputs) > 1:
        made = f"made = model.outputs({taken})  # uint8, H x W x C: {', '.join(outputs)}\n"
    command = _command(card, loading, list(files.values()), target)
    return Again(command=shlex.join(command), python=loading.python + made)


def folder_again(card: Card, loading: Loading, folders: Sequence[str], file_format: Format) -> Again:
    """For a folder of pictures (for several ports, a folder each)."""
    form = [] if file_format == "png" else ["--format", file_format]
    given = quoted(folders[0]) if len(folders) == 1 else "[" + ", ".join(map(quoted, folders)) + "]"
    form_python = "" if file_format == "png" else f", file_format={quoted(file_format)}"
    return Again(
        command=shlex.join([*_command(card, loading, folders, "results"), *form]),
        python=f'{loading.python}pipelines.run_folder(model, {given}, "results"{form_python})\n',
    )


def _command(card: Card, loading: Loading, sources: Sequence[str], target: str) -> list[str]:
    """The command of the task where it has one, or `pixturn run`, which takes them all."""
    word = card.task if card.task in _OWN_COMMAND else "run"
    given = list(map(_as_operand, sources))
    if word == INPAINT:
        given = [given[0], "--mask", given[1]]
    return ["pixturn", word, loading.spoken, *given, "-o", _as_operand(target), *loading.options]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What is drawn from a generator, as `Generate.draw` takes it."""

    n: int
    seed: int
    label: str | None = None
    codes: Mapping[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    spread: float = 1.0

    @property
    def options(self) -> list[str]:
        """For the command line; what is left at its default is not said."""
        label = [] if self.label is None else ["--class", self.label]
        codes = [
            part for name, each in self.codes.items() for part in ("--code", f"{name}={','.join(map(_number, each))}")
        ]
        spread = [] if self.spread == 1 else ["--spread", _number(self.spread)]
        return ["--n", str(self.n), "--seed", str(self.seed), *label, *codes, *spread]

    @property
    def python(self) -> str:
        """The arguments of a call."""
        label = [] if self.label is None else [f"label={quoted(self.label)}"]
        numbers = {name: _list(each) for name, each in self.codes.items()}
        codes = [f"codes={_dictionary(numbers)}"] if numbers else []
        spread = [] if self.spread == 1 else [f"spread={_number(self.spread)}"]
        return ", ".join([str(self.n), f"seed={self.seed}", *label, *codes, *spread])


def samples_again(loading: Loading, drawn: Drawn) -> Again:
    """For pictures of a generator."""
    target = f"{file_stem(loading.spoken)}-seed-{drawn.seed}"
    python = (
        f"{loading.python}for index, picture in enumerate(model({drawn.python})):\n"
        f'    picture.save(f"{target}-{{index:06}}.png")\n'
    )
    return Again(command=_generating(loading, drawn, target), python=python)


def points_again(loading: Loading, drawn: Drawn, port: str) -> Again:
    """For points of a generator, which come out of that port."""
    target = f"{file_stem(loading.spoken)}-seed-{drawn.seed}.npz"
    python = f"{loading.python}points = model.arrays({drawn.python})[{quoted(port)}]\n"
    return Again(command=_generating(loading, drawn, target), python=python)


def _generating(loading: Loading, drawn: Drawn, target: str) -> str:
    return shlex.join(["pixturn", "generate", loading.spoken, "-o", target, *drawn.options])


def encoded_again(loading: Loading, file: str, ports: Sequence[str]) -> Again:
    """For the numbers of a picture, in Python alone."""
    return Again(
        python=f"{loading.python}numbers = model.outputs([{quoted(file)}])  # a row each: {', '.join(ports)}\n"
    )


def reconstructed_again(loading: Loading, file: str, target: str, label: int | None) -> Again:
    """For a picture that was given back, in Python alone."""
    told = "" if label is None else f", label={label}"
    return Again(python=f"{loading.python}model({quoted(file)}{told}).save({quoted(target)})\n")


def quoted(text: str) -> str:
    """As Python writes it, in double quotes where it can."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain.startswith("'") and '"' not in plain else plain


def file_stem(name: str) -> str:
    """A model's name (or the path of its file) as a part of a file's name."""
    plain = name.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".onnx")
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in plain)
    return kept.strip("-.") or "model"


def _as_operand(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name


def _saving(target: str) -> str:
    return next((options for ending, options in _SAVE.items() if target.endswith(f".{ending}")), "")


def _dictionary(entries: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted(name)}: {value}" for name, value in entries.items()) + "}"


def _list(numbers: Sequence[float]) -> str:
    return "[" + ", ".join(map(_number, numbers)) + "]"


def _number(value: float) -> str:
    return f"{value:g}"
