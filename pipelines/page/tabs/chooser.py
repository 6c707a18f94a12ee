"""Which model: the names of all models of a tab, and what each is."""

import html
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

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
    """A model in a line, and what it learnt from behind it, as HTML."""
    card = offer.card
    facts = [f"{card.scale} times as high and wide" if card.scale > 1 else "", card.method.replace("_", " ")]
    told = " · ".join(html.escape(fact) for fact in facts if fact)
    learnt = [f"Trained on {card.data}." if card.data else "", f"Licence: {card.licence}." if card.licence else ""]
    more = " ".join(html.escape(words) for words in learnt if words)
    details = f"<details><summary>Training data and licence</summary>{more}</details>" if more else ""
    return f"<div class='about'>{told}{details}</div>"


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


def one_for_each_kind(offers: Sequence[Offer], put: Callable[[Sequence[Offer], Any], None]) -> None:
    """The chooser, and below it the controls of the model that is chosen; models with the same ports share them.

    Args:
        offers: the models of a tab.
        put: puts together what models of one kind have, given them and the chooser.
    """
    with gr.Row(elem_classes="head-of-tab"):
        with gr.Column(scale=3, min_width=260):
            chooser = model_chooser(offers)
        with gr.Column(scale=2, min_width=260):
            line = gr.HTML(about(offers[0]), padding=False)
    groups, columns = alike(offers), list[gr.Column]()
    for index, group in enumerate(groups):
        with gr.Column(visible=index == 0) as column:
            put(group, chooser)
        columns.append(column)

    def show(name: str) -> list[Any]:
        offer = chosen(offers, name)
        return [about(offer), *(gr.update(visible=offer in group) for group in groups)]

    chooser.change(show, chooser, [line, *columns], queue=False, show_progress="hidden", api_visibility="private")
