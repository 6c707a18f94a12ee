"""HTML that is safe by construction: whatever is a plain string is escaped; only `Markup` passes as it is."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

_VOID = frozenset({"img", "input", "meta"})

Attributes = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Markup:
    """Text that already is HTML."""

    text: str


Child = Markup | str


def tag(name: str, attributes: Attributes | None = None, *children: Child) -> Markup:
    """An element; an attribute that is True stands alone, and one that is False is left out."""
    opening = f"<{name}{_attributes(attributes or {})}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(children).text}</{name}>")


def join(children: Iterable[Child]) -> Markup:
    """Children one after another."""
    return Markup("".join(child.text if isinstance(child, Markup) else escape(child) for child in children))


def json_block(value: object, css_class: str) -> Markup:
    """Data for the page's script. No character in it can end the block, whatever the strings hold."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return tag("script", {"type": "application/json", "class": css_class}, Markup(text))


def _attributes(attributes: Attributes) -> str:
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not False
    )
