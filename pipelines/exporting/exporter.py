"""`export(name)`: a trained run's deploy as one file, once it is proven; or an error, and no file at all."""

from dataclasses import dataclass, replace
from pathlib import Path

from onnx import ModelProto
from rich.console import Console

from pipelines.exporting.choosing import material_for
from pipelines.exporting.document import document, own_name
from pipelines.exporting.forms import in_precision, versions, with_pixels
from pipelines.exporting.material import Material
from pipelines.runs import RUNS, RunFolder, find_run
from pipelines.trained import Trained
from translate.card import Card, Precision
from translate.errors import ConfigurationError
from translate.export.folder import publish, require_own_manifest
from translate.export.graph import set_card
from translate.method import Deploy

FOLDER = "export"
"""Where exports lie in a run's folder, unless another place is named."""
SHEET = ".samples.png"
"""What follows the model's name in that of its sheet of pictures."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which of a run's networks, in which form."""

    direction: str | None = None
    precision: Precision = "fp32"
    pixels: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A deploy of a run, its card, and what it is proven on."""

    folder: RunFolder
    trained: Trained
    direction: str
    deploy: Deploy
    card: Card
    material: Material


def export(
    name: str | Path,
    *,
    out: str | Path | None = None,
    direction: str | None = None,
    precision: Precision = "fp32",
    pixels: bool = False,
    pictures: str | Path | None = None,
    runs: Path = RUNS,
    console: Console | None = None,
) -> Path:
    """Write a run's best weights as one `.onnx` file that is proven to compute what torch does.

    Beside it lie its SHA-256, a model card (README.md) with a sheet of pictures, and the folder's manifest.json.

    Args:
        name: the run's folder, or its name in `runs`.
        out: the file to write; None: `NAME.onnx` in the run's folder `export`, with the direction in its name for
            any but the first, and the precision for any but fp32.
        direction: which of the run's networks: AtoB (the first, if None), BtoA where the method has it; of methods that
            generate: generate, encode, ...
        precision: fp32; fp16 for GPUs; int8 for CPUs. Each has a bar of its own (translate.export.bars).
        pixels: bake scaling, padding and cropping in, so that the file takes and gives bytes, N x H x W x C.
        pictures: a folder of real pictures to prove it on; None: those that the run held out.
        runs: folder of the runs.
        console: where progress is told; None: standard error.

    Returns:
        The file.

    Raises:
        ModelError: there is no such run, or the graph does not agree with it: the message names size and figure.
        ConfigurationError: no such direction, no pictures, or a place that cannot be written to.
        StorageError: no room on the disk.
    """
    told = console or Console(stderr=True)
    wanted = Wanted(direction=direction, precision=precision, pixels=pixels)
    source = _source(find_run(name, runs), wanted, None if pictures is None else Path(pictures), told)
    path = _target(source, wanted, None if out is None else Path(out))
    require_own_manifest(path.parent)
    model, card = in_precision(source.deploy, source.card, source.material, told)
    if wanted.pixels:
        model, card = with_pixels(model, card, source.material)
    set_card(model, card)
    with told.status("Writing ..."):
        _write(path, model, card, source)
    return path


def _write(path: Path, model: ModelProto, card: Card, source: Source) -> None:
    """The file, and beside it its page with a sheet of pictures."""
    readme, pictures_file = own_name(path), f"{path.stem}{SHEET}"
    pictured = source.material.sheet(model, card)
    text = document(path.name, card, source.folder, sheet=pictures_file)
    publish(path, model.SerializeToString(), {pictures_file: pictured, readme: text.encode()})


def _source(folder: RunFolder, wanted: Wanted, pictures: Path | None, console: Console) -> Source:
    trained = Trained.read(folder)
    deploys = trained.method.deploys()
    direction = wanted.direction or next(iter(deploys))
    if direction not in deploys:
        raise ConfigurationError(f"--direction {direction}: {trained.recipe.method} has {', '.join(deploys)}")
    deploy, card = deploys[direction], _card(trained.cards[direction], folder, wanted)
    material = material_for(trained, deploy, card, pictures, console)
    return Source(folder=folder, trained=trained, direction=direction, deploy=deploy, card=card, material=material)


def _card(stored: Card, folder: RunFolder, wanted: Wanted) -> Card:
    """What the run said of the network, of a file now; a run's folder may have been given another name since."""
    name, installed = folder.path.resolve().name, {**stored.versions, **versions()}
    return replace(stored, name=name, precision=wanted.precision, versions=installed)


def _target(source: Source, wanted: Wanted, out: Path | None) -> Path:
    parts = [source.folder.path.resolve().name]
    parts += [source.direction] if source.direction != next(iter(source.trained.method.deploys())) else []
    parts += [wanted.precision] if wanted.precision != "fp32" else []
    parts += ["pixels"] if wanted.pixels else []
    name = f"{'-'.join(parts)}.onnx"
    if out is None:
        return source.folder.path / FOLDER / name
    if out.is_dir():
        return out / name
    if out.suffix != ".onnx":
        raise ConfigurationError(f"-o {out}: name a file that ends in .onnx, or a folder that is there")
    return out
