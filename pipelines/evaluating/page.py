"""An evaluation as one HTML page with its table and its sheet inside; it needs no network and runs no script."""

from base64 import b64encode

from pipelines.evaluating.evaluation import Evaluation
from pipelines.evaluating.figures import figures
from pipelines.report.markup import Markup, tag

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:88rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-bottom:1px solid #8884}
td:nth-child(2),td:nth-child(3){font-variant-numeric:tabular-nums;white-space:nowrap}
img{max-width:100%;background:#fff}
"""


def page(evaluation: Evaluation) -> str:
    """The page."""
    title = f"{evaluation.made.where} against {evaluation.real.where}"
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        tag("title", None, title),
        tag("style", None, Markup(_STYLE)),
    )
    parts = [tag("h1", None, title), _about(evaluation), _table(evaluation), *_notes(evaluation), _picture(evaluation)]
    return f"<!doctype html>\n{tag('html', {'lang': 'en'}, head, tag('body', None, *parts)).text}\n"


def _about(evaluation: Evaluation) -> Markup:
    made, real = evaluation.made, evaluation.real
    return tag(
        "p",
        None,
        f"{len(made)} pictures of each ({made.found} and {real.found} were there), compared at "
        f"{made.pixels.shape[1]} px through {evaluation.features}; seed {evaluation.seed}.",
    )


def _table(evaluation: Evaluation) -> Markup:
    names = ("figure", "measured", "other real pictures", "what it says")
    head = tag("tr", None, *(tag("th", None, name) for name in names))
    rows = [
        tag("tr", None, *(tag("td", None, text) for text in (each.name, each.value, each.reference, each.meaning)))
        for each in figures(evaluation)
    ]
    return tag("table", None, head, *rows)


def _notes(evaluation: Evaluation) -> list[Markup]:
    return [tag("p", None, note) for note in evaluation.notes]


def _picture(evaluation: Evaluation) -> Markup:
    address = f"data:image/png;base64,{b64encode(evaluation.sheet()).decode('ascii')}"
    return tag("img", {"src": address, "alt": "what the classifier is surest of: made above, real below"})
