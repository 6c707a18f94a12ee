"""The model card of an import that people read: whose weights these are, and what is known about them."""

from collections.abc import Iterator
from dataclasses import replace

from pipelines.exporting.document import page, parity, weaknesses
from pipelines.importing.closeness import CLOSE, USUAL
from pipelines.importing.imported import UNKNOWN, Imported
from translate.card import Card


def document(name: str, card: Card, imported: Imported, *, sheet: str, pictures: str, large: str) -> str:
    """The card as Markdown.

    Args:
        name: the model's file.
        card: what it does.
        imported: what was found in the weights.
        sheet: file of the pictures before and after.
        pictures: "real" or "made-up": on which ones the file was proven.
        large: why large pictures are run as the card's tiling class says.
    """
    sections = {
        "Where it comes from": _origin(card),
        "Licence": _licence(card, imported),
        "What to know": (f"- {note}" for note in imported.notes),
        "Large pictures": (f"Tiles: {card.tiling}. {large}",),
        "How good it is": _quality(pictures),
        "What is known to go wrong": _failures(card, imported),
        "Agreement with PyTorch": _agreement(card, imported, pictures),
    }
    return page(name, card, sheet=sheet, sections=sections)


def _origin(card: Card) -> Iterator[str]:
    yield from (f"- {line}" for line in f"Trained on: {card.data}".splitlines())
    yield f"- Made with {', '.join(f'{name} {version}' for name, version in sorted(card.versions.items()))}"


def _licence(card: Card, imported: Imported) -> Iterator[str]:
    yield f"- The weights, and what they were trained on: {card.licence}"
    if card.licence == UNKNOWN:
        yield "- Find out before you share this file or what it makes; then import again with --licence."
    yield f"- {imported.code_licence}"


def _quality(pictures: str) -> Iterator[str]:
    yield "It was not scored: Pixturn has not seen what it was trained on."
    if pictures == "made-up":
        yield "The pictures above are made up; --pictures DIR takes your own when it is imported."


def _failures(card: Card, imported: Imported) -> Iterator[str]:
    yield "- Nothing was looked for beyond the proof below: look at pictures of your own."
    yield from weaknesses(replace(card, tiling=imported.deploy.tiling))


def _agreement(card: Card, imported: Imported, pictures: str) -> Iterator[str]:
    yield from parity(card, imported.network, pictures)
    usual = card.parity.get(USUAL)
    if usual is not None:
        side, word = imported.usual_px, "holds" if usual <= CLOSE else "does not hold"
        yield f"\nAt {side} x {side} px, its usual size, a bar of {CLOSE:g} {word}: {usual:.2g}."
