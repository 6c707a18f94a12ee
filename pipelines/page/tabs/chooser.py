"""Which model: the names of all models of a tab, and what each is."""

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import gradio as gr

from pipelines.page.models import Offer
from translate.card import Card, PicturePort, SizeRule

_MOST_BESIDE_ONE_ANOTHER: Final = 6


def model_chooser(offers: Sequence[Offer]) -> gr.Radio | gr.Dropdown:
    """A few names stand beside one another; many are a list."""
    names = [offer.name for offer in offers]
    if len(names) <= _MOST_BESIDE_ONE_ANOTHER:
        return gr.Radio(names, value=names[0], label="Model", elem_classes="models")
    return gr.Dropdown(names, value=names[0], label="Model", elem_classes="models")


def about(offer: Offer) -> str:
    """A model in a line, as HTML."""
    card = offer.card
    facts = [
        f"enlarges {card.scale}×" if card.scale > 1 else "",
        card.method.replace("_", " "),
        card.data.split(";")[0],
        f"licence {card.licence}" if card.licence else "",
    ]
    told = " · ".join(html.escape(fact) for fact in facts if fact)
    return f"<p class='about'>{told}</p>"


def chosen(offers: Sequence[Offer], name: str) -> Offer:
    """The offer of that name. Raises gr.Error for none (an API may say anything)."""
    for offer in offers:
        if offer.name == name:
            return offer
    raise gr.Error(f"There is no model {str(name)[:80]!r} here", title="", print_exception=False)


def alike(offers: Sequence[Offer]) -> list[list[Offer]]:
    """Offers with the same controls together, in the order of the first of each."""
    groups = dict[object, list[Offer]]()
    for offer in offers:
        groups.setdefault(_kind(offer.card, has_two=offer.perceptual is not None), []).append(offer)
    return list(groups.values())


def _kind(card: Card, *, has_two: bool) -> object:
    """What the controls and the results follow from; sizes are the model's own matter."""
    inputs = tuple(replace(port, size=SizeRule()) if isinstance(port, PicturePort) else port for port in card.inputs)
    return inputs, tuple((port.kind, port.name) for port in card.outputs), has_two
