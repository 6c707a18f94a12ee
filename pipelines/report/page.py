"""The page as a whole: sections in order, style and script inside, nothing from outside, written in one move."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from pipelines.report import sections
from pipelines.report.curves import chart_figure
from pipelines.report.gallery import gallery
from pipelines.report.markup import Markup, join, tag
from pipelines.report.model import Better, Report
from pipelines.report.scores import score_table
from translate.storage.atomic import write_atomically

_STYLES = ("page.css", "gallery.css")
_SCRIPTS = ("page.js", "gallery.js", "charts.js")
_WITHOUT_SCRIPT = ".card[hidden]{display:flex}.toolbar,.more,[data-copy],[data-open],[data-log]{display:none}"


def write_report(path: Path, report: Report) -> None:
    """Write the report as one file that needs no network; a reader sees the old file or the new one, never half.

    Raises StorageError where it cannot be written.
    """
    write_atomically(path, render(report))


def render(report: Report) -> str:
    """The page as text."""
    style, script = _assets(_STYLES), _assets(_SCRIPTS)
    body = tag(
        "body",
        {},
        tag("main", {}, sections.head(report), *_parts(report), _foot()),
        tag("script", {}, Markup(script)),
    )
    return f"<!doctype html>\n{tag('html', {'lang': 'en'}, _head(report, style, script), body).text}\n"


def _head(report: Report, style: str, script: str) -> Markup:
    return tag(
        "head",
        {},
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": _policy(style, script)}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", {"name": "color-scheme", "content": "light dark"}),
        tag("title", {}, f"{report.name}: {report.title}"),
        tag("style", {}, Markup(style)),
        tag("noscript", {}, tag("style", {}, Markup(_WITHOUT_SCRIPT))),
    )


def _policy(style: str, script: str) -> str:
    """No network, and only this very style and script, by hash: nothing that a file name smuggles in can run."""
    styles = " ".join(_source_hash(text) for text in (style, _WITHOUT_SCRIPT))
    return (
        f"default-src 'none'; img-src data:; style-src {styles}; script-src {_source_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source_hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def _parts(report: Report) -> list[Markup]:
    """The sections that have something to say, after links to them."""
    parts = {title: part for title, part in _candidates(report).items() if part is not None}
    links = (tag("a", {"href": f"#{_anchor(title)}"}, title) for title in parts)
    bodies = (sections.section(_anchor(title), title, part) for title, part in parts.items())
    return [
        sections.verdicts(report.verdicts) if report.verdicts else Markup(""),
        tag("nav", {"aria-label": "Parts of this report"}, *links),
        *bodies,
    ]


def _candidates(report: Report) -> dict[str, Markup | None]:
    metrics = report.scores.metrics if report.scores else ()
    better: dict[str, Better] = {**{metric.name: metric.better for metric in metrics}, **report.examples_better}
    note = tag("p", {"class": "muted"}, report.examples_note)
    return {
        "Scores": score_table(report.scores) if report.scores else None,
        "Health": sections.health(report.health) if report.health is not None else None,
        "Pictures": join((note, gallery(report.examples, better))) if report.examples else None,
        "Curves": tag("div", {"class": "charts"}, *map(chart_figure, report.charts)) if report.charts else None,
        "What to do next": sections.next_steps(report) if report.next_steps else None,
        "Data": sections.data_summary(report.data) if report.data else None,
        "Environment": sections.environment(report.environment) if report.environment else None,
        "Recipe": sections.recipe(report.recipe) if report.recipe else None,
    }


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _foot() -> Markup:
    return tag("footer", {"class": "muted small"}, "Written by Pixturn. This page holds everything it shows.")


def _assets(names: tuple[str, ...]) -> str:
    folder = files("pipelines.report") / "assets"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
