"""`import_weights(files, out)`: from other people's weights to `.onnx` files that compute the same, or an error."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from pipelines.exporting.pictures import pictures_in
from pipelines.importing.choices import TheirOptions
from pipelines.importing.cyclegan_pix2pix import Way, from_cyclegan_pix2pix
from pipelines.importing.directions import Direction, generators, target
from pipelines.importing.generators import BatchStatistics
from pipelines.importing.imported import Imported, Origin
from pipelines.importing.making import Candidate, Form, Made, made, write
from pipelines.importing.ncnn import from_ncnn
from pipelines.importing.ncnn_files import read_ncnn
from pipelines.importing.pictures import made_up_pictures
from pipelines.importing.restoration import from_spandrel
from translate.card import Card
from translate.errors import ConfigurationError
from translate.export.folder import require_own_manifest
from translate.storage.foreign import Limits, read_weights

Source = Literal["cyclegan-pix2pix", "spandrel", "ncnn"]

_MADE_UP = "Agreement with the network in torch was measured on made-up pictures."


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """Where weights come from and what is known about them."""

    source: Annotated[Source, tyro.conf.arg(name="from")] = "cyclegan-pix2pix"
    """The code that made them: pytorch-CycleGAN-and-pix2pix (and CUT), what spandrel knows (ESRGAN, ...), or ncnn.

    A .param file is ncnn's without saying so.
    """
    theirs: Annotated[TheirOptions, tyro.conf.arg(name="")] = field(default_factory=TheirOptions)
    batch_statistics: BatchStatistics = "picture"
    """For batch norm: picture gives what their test script does without --eval, running what it does with it."""
    direction: Direction = "auto"
    """Which generator the file is; auto: by its name, and both of a CycleGAN where they lie beside each other."""
    form: Annotated[Form, tyro.conf.arg(name="")] = field(default_factory=Form)
    origin: Annotated[Origin, tyro.conf.arg(name="")] = field(default_factory=Origin)
    pictures: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: made-up pictures)")] = (
        None
    )
    """Real input pictures, on which the file is proven (for both directions: folders A and B in it)."""
    sha256: Annotated[tuple[str, ...], tyro.conf.arg(metavar="HEX...", help_behavior_hint="(default: any)")] = ()
    """SHA-256 that the files must have, one for each that is imported."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A file that was written: the page beside it, its card, and what was found in the weights."""

    path: Path
    page: Path
    card: Card
    about: str
    notes: tuple[str, ...]


def import_weights(
    files: Sequence[str | Path], out: str | Path, how: ImportSettings | None = None, *, console: Console | None = None
) -> list[Written]:
    """Write other people's weights as `.onnx` files with our card, each proven to compute what they do.

    Every file is read and recognised before the first is exported, and proven before the first is written.

    Args:
        files: a `.pth`, `.pt` or `.safetensors` file; or the two of a CycleGAN; or ncnn's `.param` (its `.bin` lies
            beside it).
        out: the `.onnx` file; of two directions, `OUT.AtoB.onnx` and `OUT.BtoA.onnx`.
        how: where the weights come from.
        console: where progress is told; None: standard error.

    Raises:
        ModelError: a file is refused, holds no known model, or the export does not agree with it.
        ConfigurationError: options and files do not go together, or spandrel is missing.
        StorageError: no room on the disk.
    """
    how, told = _with_source(how or ImportSettings(), files), console or Console(stderr=True)
    _require_calibration(how)
    ways = _ways([Path(file) for file in files], how)
    targets = {way: target(Path(out), way, ways) for way in ways}
    for path in targets.values():
        require_own_manifest(path.parent)
    hashes = _hashes(how, [Path(file) for file in files], ways)
    found = {way: _found(file, way, how, hashes[way]) for way, file in ways.items()}
    candidates = {way: _candidate(*found[way], targets[way].stem, way, how) for way in ways}
    proven = {way: made(each, how.form, told) for way, each in candidates.items()}
    return [_written(targets[way], each) for way, each in proven.items()]


def _with_source(how: ImportSettings, files: Sequence[str | Path]) -> ImportSettings:
    """The file's name says that it is ncnn's."""
    return replace(how, source="ncnn") if any(Path(file).suffix == ".param" for file in files) else how


def _ways(files: Sequence[Path], how: ImportSettings) -> dict[Way, Path]:
    if how.source == "cyclegan-pix2pix":
        return generators(files, how.direction)
    if len(files) != 1 or how.direction != "auto":
        raise ConfigurationError(f"--from {how.source} takes one file, and no --direction")
    return {"AtoB": files[0]}


def _hashes(how: ImportSettings, files: Sequence[Path], ways: dict[Way, Path]) -> dict[Way, str]:
    """In the order of the given files; one that was found beside another comes after it."""
    if len(how.sha256) not in (0, len(ways)):
        names = ", ".join(path.name for path in ways.values())
        raise ConfigurationError(f"--sha256: give one for each file that is imported ({names}), or none")
    given: list[Way] = [way for file in files for way in ways if ways[way] == file]
    found: list[Way] = [way for way in ways if way not in given]
    hashes: dict[Way, str] = dict.fromkeys(ways, "")
    hashes.update(zip([*given, *found], how.sha256, strict=False))
    return hashes


def _found(file: Path, way: Way, how: ImportSettings, sha256: str) -> tuple[Imported, str]:
    """What the file holds, and the hash of its weights."""
    if how.source == "ncnn":
        read = read_ncnn(file, sha256=sha256, limits=how.limits)
        return from_ncnn(read, str(file)), read.sha256
    weights = read_weights(file, sha256=sha256, limits=how.limits)
    if how.source == "spandrel":
        return from_spandrel(weights.tensors, str(file)), weights.sha256
    return from_cyclegan_pix2pix(weights.tensors, str(file), how.theirs, how.batch_statistics, way), weights.sha256


def _candidate(imported: Imported, sha256: str, name: str, way: Way, how: ImportSettings) -> Candidate:
    """The network with the pictures of its proof, and the card that says so where they are made up."""
    card = imported.card(name, how.origin, sha256)
    if how.pictures is None:
        card = replace(card, data=f"{card.data} {_MADE_UP}")
        return Candidate(
            imported=imported, card=card, samples=made_up_pictures(card.input_pictures), pictures="made-up"
        )
    own = how.pictures / way[0]
    samples = pictures_in(own if own.is_dir() else how.pictures, card.input_pictures)
    return Candidate(imported=imported, card=card, samples=samples, pictures="real")


def _require_calibration(how: ImportSettings) -> None:
    if how.form.precision == "int8" and how.pictures is None:
        raise ConfigurationError(
            "--precision int8 is calibrated on real pictures of the kind that the model is for: name a folder of some "
            "with --pictures DIR"
        )


def _written(path: Path, proven: Made) -> Written:
    imported, page = proven.candidate.imported, write(path, proven)
    return Written(path=path, page=page, card=proven.card, about=imported.about, notes=imported.notes)
