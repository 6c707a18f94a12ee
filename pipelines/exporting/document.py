"""The model card that people read: what the file does, how to run it, where it comes from, and what went wrong."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from pipelines.report.figures import Figures, read_figures
from pipelines.report.model import ScoreTable
from pipelines.runs import RunFolder
from pipelines.scoring.measures import MEASURES
from translate.card import Card, LabelMap, Picture, Port
from translate.runtime.codec import pixel_type

README: Final = "README.md"
_COLOURS = {1: "grey", 3: "RGB", 4: "RGBA"}


def own_name(model: Path) -> str:
    """README.md; where that is another model's, or the user's own, the model's name ending in .md."""
    readme = model.with_name(README)
    try:
        is_ours = readme.read_text(encoding="utf-8").startswith(_mark(model.name))
    except (OSError, ValueError):
        is_ours = not readme.exists()
    return README if is_ours else f"{model.stem}.md"


def document(name: str, card: Card, folder: RunFolder, *, sheet: str) -> str:
    """The card as Markdown.

    Args:
        name: the model's file.
        card: what it does.
        folder: the run; its report's figures are told where there are any.
        sheet: file of the pictures before and after.
    """
    figures = read_figures(folder.figures)
    sections = {
        "Where it comes from": _origin(card),
        "How good it is": _scores(card, figures),
        "What was seen to go wrong": _failures(card, figures),
        "Agreement with PyTorch": parity(card, "the trained network", "real"),
    }
    return page(name, card, sheet=sheet, sections=sections)


def page(name: str, card: Card, *, sheet: str, sections: Mapping[str, Iterable[str]]) -> str:
    """A model's page in Markdown: what every file is told of, then lines by the title of their section.

    Args:
        name: the model's file.
        card: what it does.
        sheet: file of the pictures before and after.
        sections: what is to be said of this one.
    """
    parts = [
        f"{_mark(name)}\n# {name}",
        f"{_purpose(card)}\n\n![Before and after, row by row]({sheet})",
        _section("Run it", _commands(name, card)),
        _section("What goes in and comes out", _contract(card)),
        *(_section(title, lines) for title, lines in sections.items()),
    ]
    return "\n\n".join(parts) + "\n"


def parity(card: Card, network: str, pictures: str) -> Iterator[str]:
    """What the proof measured, as lines: against which network, on which kind of pictures."""
    yield f"Largest differences from {network} in float32, measured on {pictures} pictures when this was written:\n"
    yield from (f"- {name}: {value:.3g}" for name, value in card.parity.items())


def weaknesses(card: Card) -> Iterator[str]:
    """What is known to go wrong from how such a network computes."""
    if card.tiling == "whole-picture statistics":
        yield (
            "- A picture of one colour: the network divides by how much a picture varies, so rounding decides what "
            "comes out."
        )


def _mark(name: str) -> str:
    return f"<!-- Pixturn's model card of {name} -->"


def _section(title: str, lines: Iterable[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines)


def _purpose(card: Card) -> str:
    inputs, outputs = (" and ".join(f"`{port.name}`" for port in ports) for ports in (card.inputs, card.outputs))
    larger = f", {card.scale} times as high and wide" if card.scale > 1 else ""
    kind = f"({card.method}, {card.precision})"
    return f"Turns pictures of {inputs} into pictures of {outputs}{larger} {kind}, at any size."


def _commands(name: str, card: Card) -> Iterator[str]:
    alone = len(card.inputs) == 1
    pictures = "picture.png" if alone else " ".join(f"{port.name}.png" for port in card.inputs)
    given = '"picture.png"' if alone else "{" + ", ".join(f'"{p.name}": "{p.name}.png"' for p in card.inputs) + "}"
    yield from ("```shell", "pip install 'pixturn[cpu]'", f"sha256sum -c {name}.sha256")
    yield from (f"pixturn run {name} {pictures} -o out.png", "```", "")
    yield from ("```python", "import pipelines", f'pipelines.load("{name}")({given}).save("out.png")', "```")


def _contract(card: Card) -> Iterator[str]:
    for word, ports in (("Input", card.inputs), ("Output", card.outputs)):
        yield from (f"- {word} `{port.name}`: {_port(port, card)}" for port in ports)
    if card.pixels:
        yield "- Any height and width; scaling, padding and cropping are inside."
        return
    rule = card.inputs[0].size
    yield (
        f"- Height and width: multiples of {rule.multiple_of_px}, at least {rule.at_least_px}. Pixturn pads other "
        "sizes at the right and the bottom by reflection, and crops the result; elsewhere do the same."
    )


def _port(port: Port, card: Card) -> str:
    if card.pixels:
        channels = 1 if isinstance(port, LabelMap) else port.channels
        return f"{pixel_type(port).__name__}, batch x height x width x {channels}, {_meaning(port)}"
    ends = "1 where the class is, -1 elsewhere" if isinstance(port, LabelMap) else "level / 127.5 - 1"
    return f"float32, batch x {port.channels} x height x width, {_meaning(port)}: {ends}"


def _meaning(port: Port) -> str:
    if isinstance(port, Picture):
        return _COLOURS.get(port.channels, f"{port.channels} channels")
    return f"one of {port.classes} classes a pixel"


def _origin(card: Card) -> Iterator[str]:
    yield f"- Run `{card.name}` of {card.method}, {card.images_seen:,} images seen"
    yield f"- Data: {card.data or 'not described'}"
    yield f"- Licence of the data: {card.licence or 'not stated; find out before you share the file'}"
    yield f"- Recipe (SHA-256): `{card.recipe_sha256}`"
    yield f"- Made with {', '.join(f'{name} {version}' for name, version in sorted(card.versions.items()))}"


def _scores(card: Card, figures: Figures | None) -> Iterator[str]:
    if figures is not None and figures.scores is not None:
        yield "On held-out pictures, beside baselines that need no training:\n"
        yield from _table(figures.scores)
        return
    if not card.metrics:
        yield "It was not scored. `pixturn report` on the run scores it beside trivial baselines; then export it again."
        return
    yield "On validation pictures, in training:\n"
    yield from (f"- {_label(name)}: {value:.4g}" for name, value in card.metrics.items())
    yield "\n`pixturn report` on the run scores it beside trivial baselines; then export it again."


def _label(name: str) -> str:
    measure = MEASURES.get(name)
    if measure is None:
        return name
    return f"{measure.label}{f' ({measure.unit})' if measure.unit else ''}, {measure.better} is better"


def _table(scores: ScoreTable) -> Iterator[str]:
    yield "| |" + "".join(f" {one.name}{f' ({one.unit})' if one.unit else ''} |" for one in scores.metrics)
    yield "|---|" + "---|" * len(scores.metrics)
    for row in scores.rows:
        cells = (f"{row.values[one.name].mean:.4g}" if one.name in row.values else "" for one in scores.metrics)
        name = f"**{row.name}**" if row.ours else row.name
        yield f"| {name} |" + "".join(f" {cell} |" for cell in cells)


def _failures(card: Card, figures: Figures | None) -> Iterator[str]:
    found = list(_found(figures)) if figures is not None else []
    yield from found or ["- Nothing was looked for: `pixturn report` on the run does; then export it again."]
    yield from weaknesses(card)


def _found(figures: Figures) -> Iterator[str]:
    for finding in (*figures.verdicts, *(figures.health or ())):
        if finding.severity in {"warning", "error"}:
            yield f"- {finding.message}{f' ({finding.remedy})' if finding.remedy else ''}"
    yield from (f"- Worst pictures: `{key}`, {measure} {value:.4g}" for key, measure, value in figures.worst)
    if figures.health is not None and not figures.health:
        yield "- The health checks of the report found nothing."
