"""What a model's page says of its task: what it is for, how to run it, what goes in and comes out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pipelines.tasks import ENCODE, GENERATE, INPAINT, RECONSTRUCT, UPSCALE
from translate.card import Card, FixedPicture, Label, LabelMap, Latent, Mask, Picture, PicturePort, Port, Vector
from translate.runtime.codec import pixel_type

_COLOURS: Final = {1: "grey", 3: "RGB", 4: "RGBA"}


def purpose(card: Card) -> str:
    """What the model is for, in a sentence."""
    kind = f"({card.method}, {card.precision})"
    inputs, outputs = (" and ".join(f"`{port.name}`" for port in ports) for ports in (card.inputs, card.outputs))
    if not card.takes_pictures:
        return f"Makes {outputs} out of {inputs} {kind}."
    if card.task == INPAINT:
        return f"Fills what a mask marks in pictures {kind}, at any size; the rest stays as it is, bit by bit."
    larger = f", {card.scale} times as high and wide" if card.scale > 1 else ""
    return f"Turns pictures of {inputs} into pictures of {outputs}{larger} {kind}, at any size."


def seen(card: Card) -> str:
    """What its sheet shows."""
    if card.task == GENERATE:
        return "Its first samples of one seed"
    return "Before and after, row by row" if card.takes_pictures else "What goes in"


def commands(name: str, card: Card) -> Iterator[str]:
    """How to run it, as lines of Markdown."""
    yield from ("```shell", "pip install 'pixturn[cpu]'", f"sha256sum -c {name}.sha256")
    shell, python = _RUNS.get(card.task, _translate)(name, card)
    yield from (*shell, "```", "")
    yield from ("```python", "import pipelines", "", python, "```")


def _translate(name: str, card: Card) -> tuple[list[str], str]:
    alone = len(card.inputs) == 1
    pictures = "picture.png" if alone else " ".join(f"{port.name}.png" for port in card.inputs)
    given = '"picture.png"' if alone else "{" + ", ".join(f'"{p.name}": "{p.name}.png"' for p in card.inputs) + "}"
    return [f"pixturn run {name} {pictures} -o out.png"], f'pipelines.load("{name}")({given}).save("out.png")'


def _upscale(name: str, _: Card) -> tuple[list[str], str]:
    return (
        [f"pixturn upscale {name} picture.png -o out.png"],
        f'pipelines.load("{name}")("picture.png").save("out.png")',
    )


def _inpaint(name: str, _: Card) -> tuple[list[str], str]:
    return (
        [
            f"pixturn inpaint {name} picture.png --mask mask.png -o out.png",
            f"pixturn inpaint {name} picture.png --outpaint 64 64 0 0 -o wider.png",
        ],
        f'pipelines.load("{name}")("picture.png", "mask.png").save("out.png")',
    )


def _generate(name: str, card: Card) -> tuple[list[str], str]:
    if any(isinstance(port, FixedPicture) for port in card.outputs):
        return (
            [f"pixturn generate {name} --n 64 -o samples/"],
            f'pipelines.load("{name}")(64, seed=7)[0].save("sample.png")',
        )
    return [f"pixturn generate {name} --n 64 -o samples.npz"], f'points = pipelines.load("{name}").arrays(64, seed=7)'


def _encode(name: str, _: Card) -> tuple[list[str], str]:
    return [], f'numbers = pipelines.load("{name}")("picture.png")'


def _reconstruct(name: str, _: Card) -> tuple[list[str], str]:
    return [], f'pipelines.load("{name}")("picture.png").save("again.png")'


_RUNS: Final[Mapping[str, Callable[[str, Card], tuple[list[str], str]]]] = {
    UPSCALE: _upscale,
    INPAINT: _inpaint,
    GENERATE: _generate,
    ENCODE: _encode,
    RECONSTRUCT: _reconstruct,
}


def contract(card: Card) -> Iterator[str]:
    """Every port, and the rule of sizes, as lines of Markdown."""
    for word, ports in (("Input", card.inputs), ("Output", card.outputs)):
        yield from (f"- {word} `{port.name}`: {_port(port, card)}" for port in ports)
    if card.pixels:
        yield "- Any height and width; scaling, padding and cropping are inside."
        return
    if not card.takes_pictures:
        return
    rule = card.input_pictures[0].size
    yield (
        f"- Height and width: multiples of {rule.multiple_of_px}, at least {rule.at_least_px}. Pixturn pads other "
        "sizes at the right and the bottom by reflection, and crops the result; elsewhere do the same."
    )


def _port(port: Port, card: Card) -> str:
    if card.pixels and isinstance(port, PicturePort):
        channels = 1 if isinstance(port, LabelMap) else port.channels
        return f"{pixel_type(port).__name__}, batch x height x width x {channels}, {_PORTS[type(port)](port)[1]}"
    shape, meaning, scale = _PORTS[type(port)](port)
    return f"{shape}, {meaning}{scale}"


_PORTS: Final[Mapping[type[Port], Callable[[Any], tuple[str, str, str]]]] = {
    Picture: lambda port: (
        f"float32, batch x {port.channels} x height x width",
        _COLOURS.get(port.channels, f"{port.channels} channels"),
        ": level / 127.5 - 1",
    ),
    LabelMap: lambda port: (
        f"float32, batch x {port.channels} x height x width",
        f"one of {port.classes} classes a pixel",
        ": 1 where the class is, -1 elsewhere",
    ),
    Mask: lambda _: (
        "float32, batch x 1 x height x width",
        "a mask, to be filled where its level is 128 or more",
        ": level / 127.5 - 1",
    ),
    FixedPicture: lambda port: (
        f"float32, batch x {port.channels} x {port.height_px} x {port.width_px}",
        _COLOURS.get(port.channels, f"{port.channels} channels"),
        ": level / 127.5 - 1",
    ),
    Latent: lambda port: (f"float32, batch x {port.size}", f"noise, {_DRAWN[port.distribution]}", ""),
    Label: lambda port: ("int64, batch", f"a class from 0 to {port.classes - 1}", _named(port)),
    Vector: lambda port: (f"float32, batch x {port.size}", "numbers", ""),
}
"""For each kind: type and shape, what the numbers are, and how they are scaled."""

_DRAWN: Final = {"normal": "standard normal", "uniform": "uniform in [-1, 1]"}


def _named(port: Label) -> str:
    return f": {', '.join(port.names)}" if port.names else ""
