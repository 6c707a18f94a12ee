"""An evaluation as one HTML page with its table and its sheet inside; it needs no network and runs no script."""

from base64 import b64encode

from pipelines.evaluating.figures import COLUMNS
from pipelines.evaluating.told import Told
from pipelines.report.markup import Markup, tag

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:88rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-bottom:1px solid #8884}
td:nth-child(2),td:nth-child(3){font-variant-numeric:tabular-nums;white-space:nowrap}
img{max-width:100%;background:#fff}
"""


def page(told: Told) -> str:
    """The page."""
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        tag("title", None, told.title),
        tag("style", None, Markup(_STYLE)),
    )
    notes = (tag("p", None, note) for note in told.notes)
    body = tag(
        "body",
        None,
        tag("h1", None, told.title),
        tag("p", None, f"{told.about}."),
        _table(told),
        *notes,
        _picture(told),
    )
    return f"<!doctype html>\n{tag('html', {'lang': 'en'}, head, body).text}\n"


def _table(told: Told) -> Markup:
    head = tag("tr", None, *(tag("th", None, name) for name in COLUMNS))
    rows = [
        tag("tr", None, *(tag("td", None, text) for text in (each.name, each.value, each.reference, each.meaning)))
        for each in told.figures
    ]
    return tag("table", None, head, *rows)


def _picture(told: Told) -> Markup:
    address = f"data:image/png;base64,{b64encode(told.sheet).decode('ascii')}"
    return tag("img", {"src": address, "alt": "what was made, and what is real"})
