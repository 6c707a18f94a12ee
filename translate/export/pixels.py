"""A graph that takes and gives bytes: scaling, padding, cropping and rounding inside, for callers in any language.

The same arithmetic as `translate.runtime.pixels` and `translate.runtime.padding`, to the last bit; a test compares.
"""

from dataclasses import replace
from typing import Final

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, compose, helper

from translate.card import Card, LabelMap, PicturePort, SizeRule
from translate.export.graph import set_card
from translate.runtime.codec import pixel_type
from translate.runtime.nodes import Nodes

_NETWORK: Final = "network/"
"""Before every name of the graph that was there, so that the ports' names are free for the pixels."""

_ROWS, _COLUMNS = 1, 2
_TO_PLANES, _TO_PIXELS = (0, 3, 1, 2), (0, 2, 3, 1)


def bake(model: ModelProto, card: Card) -> tuple[ModelProto, Card]:
    """The graph for pixels of any size, and its card: `pixels` is true, and the ports have no size rule any more.

    Inputs and outputs keep their names and become uint8 N x H x W x C (label maps: N x H x W x 1 classes, uint16
    above 256). Pictures are padded at the right and the bottom, as the ports of `card` want it, and what comes out is
    cropped to `card.scale` times the size of the first input. A class that the port does not have is none of them.

    Tiling is forbidden: where tiles may be cut follows from the network's size rule, which is inside now.

    Args:
        model: takes and gives float32 N x C x H x W in [-1, 1], of any precision inside. It is not changed.
        card: of that model.
    """
    baked = compose.add_prefix(model, _NETWORK)
    graph = baked.graph
    nodes = [*_before(card), *graph.node, *_after(card)]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.extend(_described(port, scale=1) for port in card.input_pictures)
    graph.output.extend(_described(port, scale=card.scale) for port in card.output_pictures)
    graph.doc_string = (
        f"Pads pictures to {_in_words(card.input_pictures[0].size)} for the network, and crops what comes out."
    )
    new_card = _card_for_pixels(card)
    set_card(baked, new_card)
    return baked, new_card


def _card_for_pixels(card: Card) -> Card:
    def free(ports: tuple[PicturePort, ...]) -> tuple[PicturePort, ...]:
        return tuple(replace(port, size=SizeRule()) for port in ports)

    return replace(
        card, pixels=True, inputs=free(card.input_pictures), outputs=free(card.output_pictures), tiling="forbidden"
    )


def _before(card: Card) -> list[NodeProto]:
    nodes = Nodes("pixels/before/")
    for port in card.input_pictures:
        padded = _padded(nodes, port.name, port.size)
        encode = _encode_classes if isinstance(port, LabelMap) else _encode_levels
        encode(nodes, padded, port)
    return nodes.all


def _after(card: Card) -> list[NodeProto]:
    nodes = Nodes("pixels/after/")
    size = nodes.add("Shape", card.input_pictures[0].name, start=_ROWS, end=_COLUMNS + 1)
    size = nodes.add("Mul", size, nodes.integers(card.scale))
    start, axes = nodes.integers([0, 0]), nodes.integers([2, 3])
    for port in card.output_pictures:
        cropped = nodes.add("Slice", f"{_NETWORK}{port.name}", start, size, axes)
        decode = _decode_classes if isinstance(port, LabelMap) else _decode_levels
        decode(nodes, cropped, port)
    return nodes.all


def _padded(nodes: Nodes, pixels: str, rule: SizeRule) -> str:
    if rule == SizeRule():
        return pixels
    for axis in (_ROWS, _COLUMNS):
        length = nodes.add("Squeeze", nodes.add("Shape", pixels, start=axis, end=axis + 1))
        pixels = nodes.add("Gather", pixels, _reflected(nodes, length, rule), axis=axis)
    return pixels


def _reflected(nodes: Nodes, length: str, rule: SizeRule) -> str:
    """Which row stands at each row of the padded picture: 0 1 2 3 2 1 0 1 2 ... for a length of 4; 0 0 0 ... for 1.

    last - |i mod period - last|, where the period is 2 * last.
    """
    zero, one = nodes.integers(0), nodes.integers(1)
    last = nodes.add("Sub", length, one)
    period = nodes.add("Max", nodes.add("Add", last, last), one)
    places = nodes.add("Mod", nodes.add("Range", zero, _padded_length(nodes, length, rule), one), period)
    return nodes.add("Sub", last, nodes.add("Abs", nodes.add("Sub", places, last)))


def _padded_length(nodes: Nodes, length: str, rule: SizeRule) -> str:
    multiple = nodes.integers(rule.multiple_of_px)
    least = nodes.add("Max", length, nodes.integers(rule.at_least_px))
    rounded_up = nodes.add("Add", least, nodes.integers(rule.multiple_of_px - 1))
    return nodes.add("Mul", nodes.add("Div", rounded_up, multiple), multiple)


def _encode_levels(nodes: Nodes, pixels: str, port: PicturePort) -> None:
    """Level / 127.5 - 1."""
    planes = nodes.add("Cast", nodes.add("Transpose", pixels, perm=_TO_PLANES), to=TensorProto.FLOAT)
    scaled = nodes.add("Div", planes, nodes.number(127.5))
    nodes.add("Sub", scaled, nodes.number(1.0), output=f"{_NETWORK}{port.name}")


def _encode_classes(nodes: Nodes, labels: str, port: PicturePort) -> None:
    """1 where the class is, and -1 elsewhere."""
    planes = nodes.add("Cast", nodes.add("Transpose", labels, perm=_TO_PLANES), to=TensorProto.INT64)
    classes = nodes.add("Reshape", nodes.integers(list(range(port.channels))), nodes.integers([1, -1, 1, 1]))
    one_hot = nodes.add("Cast", nodes.add("Equal", planes, classes), to=TensorProto.FLOAT)
    doubled = nodes.add("Mul", one_hot, nodes.number(2.0))
    nodes.add("Sub", doubled, nodes.number(1.0), output=f"{_NETWORK}{port.name}")


def _decode_levels(nodes: Nodes, numbers: str, port: PicturePort) -> None:
    """(Number + 1) * 127.5, rounded half to even, and clamped."""
    scaled = nodes.add("Mul", nodes.add("Add", numbers, nodes.number(1.0)), nodes.number(127.5))
    levels = nodes.add("Clip", nodes.add("Round", scaled), nodes.number(0.0), nodes.number(255.0))
    nodes.add("Transpose", nodes.add("Cast", levels, to=_type(port)), perm=_TO_PIXELS, output=port.name)


def _decode_classes(nodes: Nodes, scores: str, port: PicturePort) -> None:
    """The first of the largest."""
    labels = nodes.add("ArgMax", scores, axis=1, keepdims=1)
    nodes.add("Transpose", nodes.add("Cast", labels, to=_type(port)), perm=_TO_PIXELS, output=port.name)


def _described(port: PicturePort, scale: int) -> ValueInfoProto:
    channels = 1 if isinstance(port, LabelMap) else port.channels
    height, width = (word if scale == 1 else f"{scale}*{word}" for word in ("height", "width"))
    return helper.make_tensor_value_info(port.name, _type(port), ["batch", height, width, channels])


def _type(port: PicturePort) -> int:
    return helper.np_dtype_to_tensor_dtype(pixel_type(port)().dtype)


def _in_words(rule: SizeRule) -> str:
    return f"multiples of {rule.multiple_of_px} px, at least {rule.at_least_px} px,"
