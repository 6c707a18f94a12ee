"""One import as the files that are to be written: the proven model, its card to read, and a sheet of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from onnx import ModelProto
from rich.console import Console

from pipelines.exporting.document import own_name
from pipelines.exporting.forms import in_precision, with_pixels
from pipelines.exporting.material import OnPictures
from pipelines.importing.closeness import USUAL, difference_at_usual_size
from pipelines.importing.document import document
from pipelines.importing.imported import Imported
from pipelines.importing.tiling import tiling_of
from translate.card import Card, Precision
from translate.export.folder import publish
from translate.export.graph import set_card
from translate.runtime.codec import Sample

SHEET: Final = ".samples.png"
"""What follows the model's name in that of its sheet of pictures."""
_OURS: Final = "That is how Pixturn's own network of this kind is run."


@dataclass(frozen=True, kw_only=True)
class Form:
    """Which file is wanted."""

    precision: Precision = "fp32"
    """fp32; fp16 for GPUs; int8 for CPUs where that is faster (with --pictures). Each has a bar of its own."""
    pixels: bool = False
    """Take and give bytes (N x H x W x C) of any size: scaling, padding and cropping go into the file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """What is proven: a network, its card so far, and pictures, which are real or made up."""

    imported: Imported
    card: Card
    samples: Sequence[Sample]
    pictures: Literal["real", "made-up"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Made:
    """A proven model, ready to be written; `large` says why large pictures are run as its tiling class says."""

    model: bytes
    card: Card
    candidate: Candidate
    large: str
    sheet: bytes


def made(candidate: Candidate, form: Form, console: Console) -> Made:
    """The model in the form that is wanted, proven. Raises ModelError."""
    imported = candidate.imported
    material = OnPictures(
        deploy=imported.deploy,
        card=candidate.card,
        samples=candidate.samples,
        usual_px=imported.usual_px,
        console=console,
    )
    asked = replace(candidate.card, precision=form.precision)
    model, card = in_precision(imported.deploy, asked, material, console)
    if form.precision == "fp32":
        card = replace(card, parity={**card.parity, USUAL: difference_at_usual_size(material, model, card)})
    card, large = _with_tiling(model, card, imported)
    if form.pixels:
        model, card = with_pixels(model, card, material)
        large = "The file takes bytes and pads inside; import it without --pixels for tiles."
    set_card(model, card)
    shown = material.sheet(model, card)
    return Made(model=model.SerializeToString(), card=card, candidate=candidate, large=large, sheet=shown)


def write(path: Path, made_file: Made) -> Path:
    """Write the model, its SHA-256, its page, its sheet of pictures, and the folder's manifest; gives the page.

    Raises StorageError, and leaves all as it was, where there is no room.
    """
    candidate, pictured = made_file.candidate, f"{path.stem}{SHEET}"
    text = document(
        path.name,
        made_file.card,
        candidate.imported,
        sheet=pictured,
        pictures=candidate.pictures,
        large=made_file.large,
    )
    page = path.with_name(own_name(path))
    publish(path, made_file.model, {pictured: made_file.sheet, page.name: text.encode()})
    return page


def _with_tiling(model: ModelProto, card: Card, imported: Imported) -> tuple[Card, str]:
    """What a network of ours says of itself holds; of a foreign one the graph tells."""
    if imported.is_ours:
        return card, _OURS
    tiling, why = tiling_of(model, card)
    return replace(card, tiling=tiling), why
