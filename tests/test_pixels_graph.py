"""A graph with pixels baked in gives, byte for byte, what the pipeline makes around the same graph without them."""

from dataclasses import replace
from functools import cache

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from tiny import photograph
from tiny_onnx import graph_of, saved
from torch import Tensor, nn

import pipelines
import translate.export.pixels
from pipelines.tasks import Translate
from translate.card import Card, LabelMap, Picture, SizeRule
from translate.export.graph import check, to_onnx
from translate.export.pixels import bake
from translate.export.precision import half, quantise
from translate.export.session import ProtoRuntime
from translate.method import Deploy
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet
from translate.runtime.codec import codec_for
from translate.runtime.onnx import CARD_KEY

SIZES = [(1, 1), (1, 7), (3, 2), (5, 64), (63, 65), (128, 96), (37, 211)]


class FromLabels(nn.Module):
    """One-hot classes to classes and a picture."""

    size_rule = SizeRule(multiple_of_px=4, at_least_px=16)

    def __init__(self) -> None:
        super().__init__()
        self.classes = nn.Conv2d(5, 4, 3, padding=1)
        self.picture = nn.Conv2d(5, 3, 3, padding=1)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        return self.classes(maps), self.picture(maps)


def lively(module: nn.Module) -> nn.Module:
    """Weights that make pictures of every level, beyond black and white."""
    torch.manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
    return module.eval()


NETS = {
    "U-Net": lambda: (UNet(width=4, depth=6, norm="instance-affine"), (Picture(name="a"),), (Picture(name="b"),)),
    "ResNet": lambda: (ResNet(width=4, blocks=1), (Picture(name="a"),), (Picture(name="b"),)),
    "labels": lambda: (
        FromLabels(),
        (LabelMap(name="a", classes=5),),
        (LabelMap(name="classes", classes=4), Picture(name="b")),
    ),
}


@cache
def exported(name):
    net, inputs, outputs = NETS[name]()
    inputs, outputs = (tuple(replace(port, size=net.size_rule) for port in ports) for ports in (inputs, outputs))
    card = Card(task="translate", method=name, name="n", inputs=inputs, outputs=outputs, tiling="exact")
    deploy = Deploy(module=lively(net), networks=(), task="translate", inputs=inputs, outputs=outputs)
    return to_onnx(deploy, card), card


def pictures(port, height, width, count):
    """Real ones where the size is large enough to tell, noise where it is not."""
    if isinstance(port, LabelMap):
        return np.random.default_rng(1).integers(0, port.classes, (count, height, width, 1)).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (count, height, width, port.channels)).astype(np.uint8)
    known = photograph("astronaut")[:height, :width]
    noise[0, : known.shape[0], : known.shape[1]] = known
    return noise


def by_the_pipeline(model, card, given):
    """What the pipeline makes of every picture, around the graph without pixels."""
    samples = [
        {name: array[index] for name, array in given.items()} for index in range(len(next(iter(given.values()))))
    ]
    made = Translate(ProtoRuntime(model, card)).batch(samples)
    return {port.name: np.stack([each[port.name] for each in made]) for port in card.outputs}


def by_the_graph(model, card, given):
    """What any caller gets who hands over bytes."""
    baked, baked_card = bake(model, card)
    return ProtoRuntime(baked, baked_card).run(given)


def differing(model, card, height, width, count=1):
    given = {port.name: pictures(port, height, width, count) for port in card.inputs}
    expected, made = by_the_pipeline(model, card, given), by_the_graph(model, card, given)
    assert {name: (array.shape, array.dtype) for name, array in made.items()} == {
        name: (array.shape, array.dtype) for name, array in expected.items()
    }
    return sum(int(np.count_nonzero(array != expected[name])) for name, array in made.items())


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("name", NETS)
def test_the_same_bytes_as_through_the_pipeline(name, height, width, count):
    assert differing(*exported(name), height, width, count) == 0


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_the_same_bytes_at_every_precision(precision):
    model, card = exported("ResNet")
    samples = [codec_for(card).encode([{"a": photograph(name)}]) for name in ("astronaut", "coffee")]
    model = half(model) if precision == "fp16" else quantise(model, samples)
    assert differing(model, card, 37, 51, 2) == 0


def padded_with_black(nodes, pixels, rule):
    """Zeros after what is there: enough for any size of these tests, then cut to the right one."""
    for axis in (1, 2):
        ends = [0] * 4 + [256 if index == axis else 0 for index in range(4)]
        length = nodes.add("Squeeze", nodes.add("Shape", pixels, start=axis, end=axis + 1))
        wanted = translate.export.pixels._padded_length(nodes, length, rule)
        wide = nodes.add("Pad", pixels, nodes.integers(ends))
        size = nodes.add("Reshape", wanted, nodes.integers([1]))
        pixels = nodes.add("Slice", wide, nodes.integers([0]), size, nodes.integers([axis]))
    return pixels


def repeating_the_edge(nodes, length, rule):
    last = nodes.add("Sub", length, nodes.integers(1))
    wanted = translate.export.pixels._padded_length(nodes, length, rule)
    return nodes.add("Min", nodes.add("Range", nodes.integers(0), wanted, nodes.integers(1)), last)


def truncated(nodes, numbers, port):
    scaled = nodes.add("Mul", nodes.add("Add", numbers, nodes.number(1.0)), nodes.number(127.5))
    levels = nodes.add("Clip", scaled, nodes.number(0.0), nodes.number(255.0))
    nodes.add("Transpose", nodes.add("Cast", levels, to=TensorProto.UINT8), perm=(0, 2, 3, 1), output=port.name)


@pytest.mark.parametrize(
    ("part", "broken"),
    [("_padded", padded_with_black), ("_reflected", repeating_the_edge), ("_decode_levels", truncated)],
)
@pytest.mark.parametrize("name", ["U-Net", "ResNet"])
def test_a_broken_part_shows(name, part, broken, monkeypatch):
    monkeypatch.setattr(translate.export.pixels, part, broken)
    assert differing(*exported(name), 37, 51) > 0


# The arithmetic, against numbers known by hand


def identity(card):
    node = helper.make_node("Identity", ["a"], ["b"])
    return graph_of([node], [("a", card.inputs[0].channels)], [("b", card.outputs[0].channels)])


def of_numbers(numbers):
    """The levels that a graph gives for these numbers of its network, one pixel each."""
    values = onnx.numpy_helper.from_array(np.asarray(numbers, np.float32).reshape(1, 1, 1, -1), "values")
    ports = {"inputs": (Picture(name="a", channels=1),), "outputs": (Picture(name="b", channels=1),)}
    card = Card(task="translate", method="m", name="n", **ports)
    node = [helper.make_node("Mul", ["a", "nought"], ["none"]), helper.make_node("Add", ["none", "values"], ["b"])]
    nought = onnx.numpy_helper.from_array(np.float32(0), "nought")
    model = graph_of(node, [("a", 1)], [("b", 1)], [values, nought])
    return by_the_graph(model, card, {"a": np.zeros((1, 1, len(numbers), 1), np.uint8)})["b"].ravel().tolist()


def test_every_level_survives():
    card = Card(task="t", method="m", name="n", inputs=(Picture(name="a"),), outputs=(Picture(name="b"),))
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert np.array_equal(by_the_graph(identity(card), card, {"a": levels})["b"], levels)


def test_halves_go_to_the_even_level_and_the_rest_is_clamped():
    near = [np.float32(level + 0.5) / np.float32(127.5) - np.float32(1) for level in range(255)]
    halves = [float(x) for x in near if ((x + np.float32(1)) * np.float32(127.5)) % 1 == 0.5]
    expected = [round(float((np.float32(x) + np.float32(1)) * np.float32(127.5))) for x in halves]
    assert len({level % 4 for level in expected} & {0, 2}) == 2, "halves on both sides of an even level"
    assert of_numbers([*halves, -7.0, -1.0, 1.0, 3.0]) == [*expected, 0, 0, 255, 255]


def test_the_first_of_the_largest_classes():
    card = Card(task="t", method="m", name="n", inputs=(Picture(name="a"),), outputs=(LabelMap(name="b", classes=3),))
    levels = np.array([[[[9, 9, 9], [1, 2, 2], [5, 4, 5], [0, 0, 1]]]], np.uint8)
    assert by_the_graph(identity(card), card, {"a": levels})["b"].ravel().tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("classes", [3, 256, 300])
def test_classes_come_back_as_themselves(classes):
    rule = SizeRule(multiple_of_px=4, at_least_px=8)
    ports = {
        key: (LabelMap(name=name, classes=classes, size=rule),) for key, name in (("inputs", "a"), ("outputs", "b"))
    }
    card = Card(task="t", method="m", name="n", **ports)
    labels = (
        np.random.default_rng(0).integers(0, classes, (2, 5, 9, 1)).astype(np.uint16 if classes > 256 else np.uint8)
    )
    labels[0, 0, 0] = classes - 1
    made = by_the_graph(identity(card), card, {"a": labels})["b"]
    assert made.dtype == labels.dtype
    assert np.array_equal(made, labels)


# Ports


def test_several_inputs_and_outputs_in_the_order_of_the_card():
    nodes = [helper.make_node("Sub", ["one", "two"], ["less"]), helper.make_node("Neg", ["one"], ["minus"])]
    model = graph_of(nodes, [("one",), ("two",)], [("less",), ("minus",)])
    rule = SizeRule(multiple_of_px=4)
    card = Card(
        task="translate",
        method="m",
        name="n",
        inputs=(Picture(name="two", size=rule), Picture(name="one", size=rule)),
        outputs=(Picture(name="minus", size=rule), Picture(name="less", size=rule)),
    )
    baked, _ = bake(model, card)
    assert [value.name for value in baked.graph.input] == ["two", "one"]
    assert [value.name for value in baked.graph.output] == ["minus", "less"]
    assert differing(model, card, 5, 7, 2) == 0


def test_the_scale_of_the_card_is_in_the_crop():
    scales = onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    model = graph_of([helper.make_node("Resize", ["a", "", "scales"], ["b"])], [("a",)], [("b",)], [scales])
    rule = SizeRule(multiple_of_px=8)
    ports = {"inputs": (Picture(name="a", size=rule),), "outputs": (Picture(name="b"),)}
    card = Card(task="translate", method="m", name="n", scale=2, **ports)
    given = {"a": pictures(card.inputs[0], 5, 11, 1)}
    made = by_the_graph(model, card, given)["b"]
    assert np.array_equal(made, given["a"].repeat(2, axis=1).repeat(2, axis=2))
    baked, _ = bake(model, card)
    assert dims(baked.graph.output[0]) == ["batch", "2*height", "2*width", 3]


def dims(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_what_the_file_says_of_itself():
    model, card = exported("U-Net")
    before = model.SerializeToString()
    baked, baked_card = bake(model, card)
    check(baked)
    assert model.SerializeToString() == before
    assert [dims(value) for value in (*baked.graph.input, *baked.graph.output)] == [["batch", "height", "width", 3]] * 2
    assert {value.type.tensor_type.elem_type for value in baked.graph.input} == {TensorProto.UINT8}
    assert "multiples of 64 px" in baked.graph.doc_string
    assert [entry.domain for entry in baked.opset_import] == [""]
    assert not baked.functions
    assert baked_card.pixels
    assert {port.size for port in (*baked_card.inputs, *baked_card.outputs)} == {SizeRule()}
    assert baked_card.tiling == "forbidden"
    assert {entry.key: entry.value for entry in baked.metadata_props} == {CARD_KEY: baked_card.to_json()}


def test_a_file_with_pixels_runs_like_any_other(tmp_path):
    model, card = exported("ResNet")
    baked, baked_card = bake(model, card)
    plain = saved(tmp_path / "plain.onnx", model, card.to_json())
    pixels = saved(tmp_path / "pixels.onnx", baked, baked_card.to_json())
    picture = photograph("coffee")[:45, :77]
    one, other = (pipelines.load(path, device="cpu")(picture) for path in (plain, pixels))
    assert one.size == (77, 45)
    assert one.tobytes() == other.tobytes()
