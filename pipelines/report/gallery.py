"""Held-out pictures: a card each, worst first, with a before/after slider."""

import math
from collections.abc import Mapping, Sequence

from pipelines.report.markup import Markup, tag
from pipelines.report.model import Better, Example, Pixels
from pipelines.report.numbers import count, plural, significant
from pipelines.report.pictures import Embedded, embed

FIRST_SHOWN = 12
_PAIRS = (("input", "output"), ("output", "truth"), ("input", "truth"))
_VIEWS = (("slider", "Slider"), ("side", "Side by side"), ("difference", "Difference \N{MULTIPLICATION SIGN} 3"))


def worst_first(examples: Sequence[Example], better: Mapping[str, Better]) -> list[Example]:
    """By the first score of the first example: NaN is worst, no score comes last; lower is better unless said."""
    metric = next((name for example in examples for name in example.scores), None)
    if metric is None:
        return list(examples)
    sign = 1 if better.get(metric) == "higher" else -1

    def rank(example: Example) -> float:
        value = example.scores.get(metric)
        if value is None:
            return math.inf
        return -math.inf if math.isnan(value) else sign * value

    return sorted(examples, key=rank)


def gallery(examples: Sequence[Example], better: Mapping[str, Better]) -> Markup:
    """The toolbar and the cards of all examples."""
    ordered = worst_first(examples, better)
    cards = [_card(example, place) for place, example in enumerate(ordered)]
    more = tag("button", {"type": "button", "class": "button", "data-more": True}, f"Show all {count(len(cards))}")
    footer = tag("p", {"class": "more", "hidden": len(cards) <= FIRST_SHOWN}, more)
    grid = tag("div", {"class": "cards"}, *cards)
    attributes = {"class": "gallery", "data-view": "slider", "data-first": FIRST_SHOWN}
    return tag("div", attributes, _toolbar(ordered, better), grid, footer, _lightbox())


def _toolbar(examples: Sequence[Example], better: Mapping[str, Better]) -> Markup:
    search = {"type": "search", "placeholder": "Filter by name", "aria-label": "Filter pictures by name"}
    shown = tag("output", {"class": "muted small", "data-shown": True}, plural(len(examples), "picture"))
    return tag(
        "div",
        {"class": "toolbar"},
        tag("input", {**search, "data-filter": True, "autocomplete": "off", "spellcheck": "false"}),
        _choices("Compare", [_pair_button(left, right) for left, right in _pairs(examples)]),
        _choices("View", [({"data-view": view}, text) for view, text in _VIEWS]),
        _sorting(examples, better),
        shown,
    )


def _pairs(examples: Sequence[Example]) -> list[tuple[str, str]]:
    names = {name for example in examples for name in _pictures(example)}
    extra = list(dict.fromkeys(name for example in examples for name in example.extra))
    offered = [*_PAIRS, *(("output", name) for name in extra)]
    return [(left, right) for left, right in offered if left in names and right in names]


def _pair_button(left: str, right: str) -> tuple[dict[str, str], str]:
    return {"data-left": left, "data-right": right}, f"{_title(left)} | {_title(right)}"


def _choices(label: str, choices: Sequence[tuple[dict[str, str], str]]) -> Markup:
    buttons = (
        tag("button", {"type": "button", **attributes, "aria-pressed": "false" if index else "true"}, text)
        for index, (attributes, text) in enumerate(choices)
    )
    return tag("div", {"class": "choices", "role": "group", "aria-label": label}, *buttons)


def _sorting(examples: Sequence[Example], better: Mapping[str, Better]) -> Markup:
    metrics = list(dict.fromkeys(name for example in examples for name in example.scores))
    options: list[Markup] = []
    for metric in metrics:
        worst, best = ("down", "up") if better.get(metric) != "higher" else ("up", "down")
        options.append(tag("option", {"value": f"{worst}:{metric}"}, f"{metric}, worst first"))
        options.append(tag("option", {"value": f"{best}:{metric}"}, f"{metric}, best first"))
    options.append(tag("option", {"value": "name"}, "Name"))
    return tag("label", {"class": "sort"}, "Sort ", tag("select", {"data-sort": True}, *options))


def _pictures(example: Example) -> dict[str, Pixels]:
    pictures = {"input": example.input, "output": example.output, "truth": example.truth}
    return {name: picture for name, picture in pictures.items() if picture is not None} | dict(example.extra)


def _card(example: Example, place: int) -> Markup:
    scores = tag("dl", {"class": "scores"}, *(_score(name, value) for name, value in example.scores.items()))
    large = {"type": "button", "class": "icon", "data-open": True, "aria-label": f"Show {example.key} large"}
    head = tag(
        "header",
        {},
        tag("h3", {"title": example.key}, example.key),
        tag("button", large, "\N{NORTH EAST AND SOUTH WEST ARROW}"),
    )
    attributes = {"class": "card", "data-key": example.key, "hidden": place >= FIRST_SHOWN}
    return tag("article", attributes, _comparison(example), head, scores)


def _score(name: str, value: float) -> Markup:
    number = repr(float(value)) if math.isfinite(value) else ""
    return tag(
        "div", {"data-metric": name, "data-value": number}, tag("dt", {}, name), tag("dd", {}, significant(value, 3))
    )


def _comparison(example: Example) -> Markup:
    embedded = {name: embed(pixels) for name, pixels in _pictures(example).items()}
    frame = embedded["output"]
    left, right = next(iter(_pairs([example])), ("output", "output"))
    sides = {left: "left", right: "right"}
    images = [_image(example.key, name, picture, frame, sides.get(name, "off")) for name, picture in embedded.items()]
    slider = {"type": "range", "min": 0, "max": 100, "value": 50, "aria-label": f"Compare pictures of {example.key}"}
    marks = (tag("span", {"class": f"mark {side}"}, _title(name)) for side, name in (("left", left), ("right", right)))
    edge = tag("span", {"class": "edge", "aria-hidden": "true"})
    return tag("div", {"class": "stage"}, tag("div", {"class": "pair"}, *images, *marks, edge, tag("input", slider)))


def _image(key: str, name: str, picture: Embedded, frame: Embedded, side: str) -> Markup:
    image = tag(
        "img",
        {
            "src": picture.address,
            "alt": f"{_title(name)} of {key}",
            "width": frame.shown_width_px,
            "height": frame.shown_height_px,
            "class": ("crisp" if picture.is_enlarged else "smooth") + (" alpha" if picture.has_alpha else ""),
            "loading": "lazy",
            "decoding": "async",
            "draggable": "false",
        },
    )
    return tag("figure", {"class": side, "data-picture": name}, image, tag("figcaption", {}, _title(name)))


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def _lightbox() -> Markup:
    buttons = (("previous", "Previous"), ("next", "Next"), ("close", "Close"))
    bar = tag(
        "div",
        {"class": "bar"},
        tag("h3", {"data-title": True}, ""),
        *(tag("button", {"type": "button", "class": "button", f"data-{kind}": True}, text) for kind, text in buttons),
    )
    body = tag("div", {"class": "large", "data-body": True})
    return tag("dialog", {"class": "lightbox", "aria-label": "Picture, large"}, bar, body)
