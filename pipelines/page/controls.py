"""From a card's ports to what a visitor sees: one builder for each kind of port, and nothing about methods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import gradio as gr
from gradio.components import Component

from pipelines.page.bench import Bench
from pipelines.page.given import GivenMask, margins_of
from pipelines.page.previews import preview_of_file
from pipelines.page.running import refused
from pipelines.page.uploads import MaskEditor, described, mask_editor, picture_upload
from translate.card import FixedPicture, Label, LabelMap, Latent, Mask, Picture, Port, Vector
from translate.errors import PixturnError

IN_TURN: Final = "all, in turn"

_LARGE_PX: Final = 340
_SMALL_PX: Final = 200
_MOST_SLIDERS: Final = 16
_MOST_EXTENDED_PX: Final = 1024
_SEED_MOST: Final = 2**32 - 1
_NORMAL_END: Final = 3.0
"""Of normal noise, 99.7 % lies within."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """What asks for one port: components, and what their values (in the same order) give."""

    port: Port
    components: tuple[Component, ...]
    given: Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a control comes to stand: after those that are there already."""

    before: Sequence[Control]
    bench: Bench


Builder = Callable[[Any, Place], Control]
"""Makes the control of a port."""


def controls_for(ports: Sequence[Port], bench: Bench) -> list[Control]:
    """The controls of ports, in their order. To be called where Gradio's blocks are being put together."""
    made = list[Control]()
    for port in ports:
        made.append(_BUILDERS[type(port)](port, Place(before=tuple(made), bench=bench)))
    return made


def has_controls(ports: Sequence[Port]) -> bool:
    """Whether there is a builder for each of them."""
    return all(type(port) in _BUILDERS for port in ports)


def given_by(controls: Sequence[Control], values: Sequence[Any]) -> dict[str, Any]:
    """What was given for each port by its name, from the values of all components in order."""
    left = list(values)
    made = dict[str, Any]()
    for control in controls:
        count = len(control.components)
        made[control.port.name] = control.given(*left[:count])
        left = left[count:]
    return made


def _picture(port: Picture, place: Place) -> Control:
    label = described(port) if place.before else "Picture"
    upload = picture_upload(label, height_px=_SMALL_PX if place.before else _LARGE_PX)
    return Control(port=port, components=(upload,), given=_as_path)


def _fixed_picture(port: FixedPicture, _: Place) -> Control:
    upload = picture_upload(f"Picture (the model sees {port.width_px} x {port.height_px} px of it)")
    return Control(port=port, components=(upload,), given=_as_path)


def _label_map(port: LabelMap, _: Place) -> Control:
    label = f"{described(port)} (label map: PNG with classes 0 to {port.classes - 1})"
    upload = picture_upload(label, is_photo=False, height_px=_SMALL_PX)
    return Control(port=port, components=(upload,), given=_as_path)


def _mask(port: Mask, place: Place) -> Control:
    editor = mask_editor("Paint over what is to be filled")
    with gr.Accordion("Extend the picture, or use a mask file", open=False):
        with gr.Row():
            sides = [
                gr.Slider(0, _MOST_EXTENDED_PX, value=0, step=8, label=f"{side} (px)", min_width=140)
                for side in ("Left", "Right", "Top", "Bottom")
            ]
        upload = picture_upload("Mask file (white: fill)", is_photo=False, height_px=180)
    for control in place.before[:1]:
        _paint_on(control, editor, place.bench)

    def given(layer: bytes | Path | None, left: int, right: int, top: int, bottom: int, file: str | None) -> GivenMask:
        return GivenMask(
            painted=_kept(layer, place.bench),
            file=_as_path(file),
            margins=margins_of(left=int(left), right=int(right), top=int(top), bottom=int(bottom)),
        )

    return Control(port=port, components=(editor, *sides, upload), given=given)


def _paint_on(control: Control, editor: MaskEditor, bench: Bench) -> None:
    """What is uploaded there is painted on here."""
    picture = control.components[0]
    assert isinstance(picture, gr.Image)
    picture.height = _SMALL_PX  # the editor shows it large
    picture.change(
        partial(_on_canvas, bench=bench),
        inputs=picture,
        outputs=editor,
        show_progress="hidden",
        api_visibility="private",
    )


def _kept(layer: bytes | Path | None, bench: Bench) -> Path | None:
    """A layer as a file among the uploads, where it is decoded like them."""
    if not isinstance(layer, bytes):
        return layer
    place = bench.intake.folder.new("").with_name("layer")
    place.write_bytes(layer)
    return place


def _on_canvas(path: str | None, bench: Bench) -> Any:  # noqa: ANN401 - an update of Gradio's
    """The editor over a small copy of the picture; the model gets the picture itself."""
    if path is None:
        return gr.update(value=None, visible=False)
    try:
        preview = preview_of_file(Path(path), bench.intake)
    except PixturnError as problem:
        raise refused(problem, bench) from None
    return gr.update(value={"background": preview, "layers": [], "composite": None}, visible=True)


def _latent(port: Latent, place: Place) -> Control:
    """The first is the noise, which follows from a seed; further ones are codes."""
    if any(isinstance(control.port, Latent) for control in place.before):
        end = _NORMAL_END if port.distribution == "normal" else 1.0
        return _numbers(port, port.size, end, may_be_drawn=True)
    with gr.Row():
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=_SEED_MOST, min_width=120)
        another = gr.Button("Another seed", size="md", min_width=120, elem_classes="quiet")
    another.click(fn=None, js=f"() => Math.floor(Math.random() * {2**31})", outputs=seed, api_visibility="private")
    return Control(port=port, components=(seed,), given=_as_seed)


def _label(port: Label, place: Place) -> Control:
    """The class of what is made, or of the picture that is given: that one has but one."""
    names = port.names or tuple(str(number) for number in range(port.classes))
    of_picture = any(isinstance(control.port, FixedPicture) for control in place.before)
    choices = names if of_picture else (IN_TURN, *names)
    dropdown = gr.Dropdown([*choices], value=choices[0], label=described(port), filterable=len(names) > 12)
    return Control(port=port, components=(dropdown,), given=_as_class)


def _vector(port: Vector, _: Place) -> Control:
    return _numbers(port, port.size, _NORMAL_END, may_be_drawn=False)


def _numbers(port: Latent | Vector, size: int, end: float, *, may_be_drawn: bool) -> Control:
    """Sliders for a few numbers, a line of text for many."""
    chosen = gr.Checkbox(not may_be_drawn, label=f"Choose {port.name}", visible=may_be_drawn)
    if size > _MOST_SLIDERS:
        text = gr.Textbox(label=f"{described(port)}: {size} numbers", placeholder="0.5, -1, ...", lines=2)
        return Control(port=port, components=(chosen, text), given=_numbers_of_text)
    with gr.Group(visible=not may_be_drawn) as group:
        sliders = [
            gr.Slider(-end, end, value=0.0, step=0.05, label=f"{port.name} {index + 1}") for index in range(size)
        ]
    chosen.change(_where, chosen, group, show_progress="hidden", api_visibility="private")
    return Control(port=port, components=(chosen, *sliders), given=_numbers_of_sliders)


def _numbers_of_sliders(is_chosen: bool, *values: float) -> list[float] | None:
    return [float(value) for value in values] if is_chosen else None


def _numbers_of_text(is_chosen: bool, text: str) -> list[float] | None:
    try:
        return [float(word) for word in (text or "").replace(",", " ").split()] if is_chosen else None
    except ValueError:
        raise gr.Error(f"{text!r} is not a list of numbers: write them as 0.5, -1") from None


def _as_path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


def _as_seed(value: float | None) -> int:
    return int(value or 0)


def _as_class(name: str) -> str | None:
    return None if name == IN_TURN else name


def _where(is_chosen: bool) -> Any:  # noqa: ANN401 - an update of Gradio's
    return gr.update(visible=is_chosen)


_BUILDERS: Final[Mapping[type[Port], Builder]] = {
    Picture: _picture,
    FixedPicture: _fixed_picture,
    LabelMap: _label_map,
    Mask: _mask,
    Latent: _latent,
    Label: _label,
    Vector: _vector,
}
