"""The model card that people read: what the file does, how to run it, where it comes from, and what went wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipelines.exporting.contract import commands, contract, purpose, seen
from pipelines.report.figures import Figures, read_figures
from pipelines.report.model import ScoreRow, ScoreTable
from pipelines.report.scores import MOST_COLUMNS
from pipelines.runs import RunFolder
from pipelines.scoring.measures import MEASURES
from translate.card import Card

README: Final = "README.md"
_TROUBLE: Final = {"warning", "error"}


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
        f"{purpose(card)}\n\n![{seen(card)}]({sheet})",
        _section("Run it", commands(name, card)),
        _section("What goes in and comes out", contract(card)),
        *(_section(title, lines) for title, lines in sections.items()),
    ]
    return "\n\n".join(parts) + "\n"


def parity(card: Card, network: str, pictures: str) -> Iterator[str]:
    """What the proof measured, as lines: against which network, on which kind of pictures."""
    given = f"{pictures} pictures" if card.takes_pictures else "inputs that were drawn"
    yield f"Largest differences from {network} in float32, measured on {given} when this was written:\n"
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
    """Contestants by measures; of many measures a line each, as in the report."""
    lines = [["", *(f"{one.name}{f' ({one.unit})' if one.unit else ''}" for one in scores.metrics)]]
    lines += [_cells(row, scores) for row in scores.rows]
    head, *body = lines if len(scores.metrics) <= MOST_COLUMNS else zip(*lines, strict=True)
    yield _line(head)
    yield f"|{'---|' * len(head)}"
    yield from map(_line, body)


def _cells(row: ScoreRow, scores: ScoreTable) -> list[str]:
    figures = (f"{row.values[one.name].mean:.4g}" if one.name in row.values else "" for one in scores.metrics)
    return [f"**{row.name}**" if row.ours else row.name, *figures]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _failures(card: Card, figures: Figures | None) -> Iterator[str]:
    found = list(_found(figures)) if figures is not None else []
    yield from found or ["- Nothing was looked for: `pixturn report` on the run does; then export it again."]
    yield from weaknesses(card)


def _found(figures: Figures) -> Iterator[str]:
    for finding in (*figures.verdicts, *(figures.health or ())):
        if finding.severity in _TROUBLE:
            yield f"- {finding.message}{f' ({finding.remedy})' if finding.remedy else ''}"
    yield from (f"- Worst pictures: `{key}`, {measure} {value:.4g}" for key, measure, value in figures.worst)
    if figures.health is not None and not any(finding.severity in _TROUBLE for finding in figures.health):
        yield "- The health checks of the report found nothing."
