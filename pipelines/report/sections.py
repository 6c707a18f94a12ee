"""The page's parts around the pictures: head, verdict, scores, health, commands, data, environment, recipe."""

import json
from collections.abc import Iterable, Mapping

from pipelines.report.markup import Child, Markup, join, tag
from pipelines.report.model import DataSummary, Finding, Report, Severity
from pipelines.report.numbers import duration, plural

_SIGNS: Mapping[Severity, str] = {"good": "\u2713", "info": "i", "warning": "!", "error": "\u2715"}
_ORDER: tuple[Severity, ...] = ("error", "warning", "info", "good")
_WIDE_FROM_CHARACTERS = 48


def section(anchor: str, title: str, *children: Child) -> Markup:
    """A part of the page that the links at its top lead to."""
    return tag("section", {"id": anchor}, tag("h2", {}, title), *children)


def head(report: Report) -> Markup:
    """Title, how the run ended, and the few facts by which people tell runs apart."""
    status = tag("span", {"class": f"status {report.outcome}"}, _sign(report.outcome), report.status)
    started = report.started
    stamp = tag(
        "time", {"datetime": started.isoformat()}, f"{started:%d %B %Y, %H:%M} {started:%Z}".strip().lstrip("0")
    )
    facts: dict[str, Child] = {
        "Run": report.name,
        "Method": report.method,
        "Started": stamp,
        "Took": duration(report.minutes),
    }
    return tag(
        "header", {"class": "top"}, tag("div", {"class": "title"}, tag("h1", {}, report.title), status), _facts(facts)
    )


def findings(entries: Iterable[Finding], css_class: str = "findings") -> Markup:
    """Sentences with a sign for how good they are, the gravest first, each with its remedy."""
    ordered = sorted(entries, key=lambda finding: _ORDER.index(finding.severity))
    return tag("ul", {"class": css_class}, *(_finding(entry) for entry in ordered))


def verdicts(entries: Iterable[Finding]) -> Markup:
    """The verdict in plain words, in the order given."""
    return tag("ul", {"class": "findings verdicts"}, *(_finding(entry) for entry in entries))


def health(entries: tuple[Finding, ...]) -> Markup:
    """What the run's own checks found."""
    if not entries:
        return findings([Finding(severity="good", message="The checks of this report found nothing wrong.")])
    return findings(entries)


def data_summary(data: DataSummary) -> Markup:
    """How the folder was understood, and what the dataset doctor said of it."""
    counts = {split: plural(pictures, "picture") for split, pictures in data.pictures.items()}
    licence = {"Licence": data.licence} if data.licence else {}
    facts = _facts({"Layout": data.description, **counts, **licence})
    panel = tag("div", {"class": "panel"}, facts)
    if data.problems is None:
        return panel
    healthy = (Finding(severity="good", message="The dataset doctor found no problems."),)
    return join((panel, findings(data.problems or healthy)))


def environment(values: Mapping[str, str]) -> Markup:
    """Versions, device, threads, precision, command line."""
    return tag("div", {"class": "panel"}, _facts(dict(values)))


def recipe(values: Mapping[str, object]) -> Markup:
    """The whole recipe as JSON, folded away."""
    text = json.dumps(values, indent=2, ensure_ascii=False)
    summary = tag("summary", {}, "The recipe as JSON: the same recipe and data give this run again")
    return tag("details", {"class": "panel"}, summary, _copyable(text))


def next_steps(report: Report) -> Markup:
    """Commands to paste."""
    steps = (tag("li", {}, tag("p", {}, step.purpose), _copyable(step.line)) for step in report.next_steps)
    return tag("ol", {"class": "steps"}, *steps)


def _sign(severity: Severity) -> Markup:
    return tag("i", {"class": f"sign {severity}", "role": "img", "aria-label": severity}, _SIGNS[severity])


def _finding(finding: Finding) -> Markup:
    remedy = tag("p", {"class": "remedy"}, finding.remedy) if finding.remedy else ""
    text = tag("div", {}, tag("p", {}, finding.message), remedy)
    return tag("li", {"class": finding.severity}, _sign(finding.severity), text)


def _facts(facts: Mapping[str, Child]) -> Markup:
    return tag("dl", {"class": "facts"}, *(_fact(name, value) for name, value in facts.items()))


def _fact(name: str, value: Child) -> Markup:
    is_wide = isinstance(value, str) and len(value) > _WIDE_FROM_CHARACTERS
    return tag("div", {"class": "wide" if is_wide else "narrow"}, tag("dt", {}, name), tag("dd", {}, value))


def _copyable(text: str) -> Markup:
    button = tag("button", {"type": "button", "class": "chip", "data-copy": True}, "Copy")
    return tag("div", {"class": "copyable"}, tag("pre", {"tabindex": 0}, tag("code", {}, text)), button)
