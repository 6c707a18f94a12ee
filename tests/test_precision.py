"""fp16 and int8: what changes in a graph, what must not, and how far the pictures are from those in float32."""

import tempfile
from functools import cache

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference
from onnxruntime.transformers.float16 import convert_float_to_float16
from test_pixels_graph import lively
from tiny import photograph
from tiny_onnx import graph_of

import translate.export.precision.speed
from translate.card import Card, Picture
from translate.errors import ModelError
from translate.export.agreement import compare_numbers
from translate.export.graph import check, to_onnx
from translate.export.precision import half, quantise, speed_ratio
from translate.export.precision.int8 import _first_and_last_convolution
from translate.export.session import ProtoRuntime
from translate.method import Deploy
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet
from translate.runtime.codec import codec_for

NETS = {
    "U-Net": lambda: UNet(width=8, depth=4, norm="batch", resampling="nearest"),
    "ResNet": lambda: ResNet(width=8, blocks=2, norm="batch", resampling="nearest"),
    "instance": lambda: ResNet(width=8, blocks=2, norm="instance"),
}


@cache
def exported(name):
    net = NETS[name]()
    ports = {"inputs": (Picture(name="a", size=net.size_rule),), "outputs": (Picture(name="b", size=net.size_rule),)}
    card = Card(task="translate", method=name, name="n", **ports)
    return to_onnx(Deploy(module=lively(net), networks=(), task="translate", **ports), card), card


def sample(card, name, top=0):
    return codec_for(card).encode([{"a": photograph(name)[top : top + 96]}])


def calibration(card):
    return [sample(card, name, top) for name in ("astronaut", "coffee") for top in (0, 16, 32)]


@cache
def quantised(name):
    model, card = exported(name)
    return quantise(model, calibration(card))


def agreement(model, other, card):
    given = sample(card, "cat")
    return compare_numbers(ProtoRuntime(other, card).run(given), ProtoRuntime(model, card).run(given), card.outputs)


def types(model):
    """Element types by value name, as ONNX infers them."""
    inferred = shape_inference.infer_shapes(model, strict_mode=True)
    values = [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    return found | {tensor.name: tensor.data_type for tensor in model.graph.initializer}


def kinds(model):
    return [node.op_type for node in model.graph.node]


def assert_same_outside(model, other):
    assert list(other.graph.input) == list(model.graph.input)
    assert list(other.graph.output) == list(model.graph.output)
    assert list(other.metadata_props) == list(model.metadata_props)
    assert list(other.opset_import) == list(model.opset_import)
    assert other.ir_version == model.ir_version
    check(other)


# fp16


def statistics_in_half(model):
    """Normalisations whose numbers are 16 bits wide."""
    inferred = types(model)
    norms = [node for node in model.graph.node if node.op_type == "InstanceNormalization"]
    assert norms
    return [node.name for node in norms if inferred[node.input[0]] != TensorProto.FLOAT]


@pytest.mark.parametrize("name", NETS)
def test_half_is_half_as_large_and_the_same_from_outside(name):
    model, card = exported(name)
    before = model.SerializeToString()
    made = half(model)
    assert model.SerializeToString() == before
    assert_same_outside(model, made)
    assert made.ByteSize() < 0.6 * model.ByteSize()
    inferred = types(made)
    convolutions = [node for node in made.graph.node if node.op_type.startswith("Conv")]
    assert {inferred[name] for node in convolutions for name in node.input} == {TensorProto.FLOAT16}
    ProtoRuntime(made, card).run(sample(card, "cat"))


@pytest.mark.parametrize("name", NETS)
def test_half_is_close(name):
    model, card = exported(name)
    apart = agreement(model, half(model), card)
    assert 1e-6 < apart.difference < 0.03
    assert apart.levels <= 4
    assert apart.mean_levels < 0.2
    assert apart.psnr_db > 60


def test_statistics_stay_in_float32():
    model, _ = exported("instance")
    assert statistics_in_half(half(model)) == []
    plainly = convert_float_to_float16(onnx.ModelProto.FromString(model.SerializeToString()), keep_io_types=True)
    assert statistics_in_half(plainly), "the control: without our list they are in half"


def test_a_sum_that_leaves_the_range_of_a_half_stays_right():
    """The mean of 300 x 300 numbers around 100: their sum is 9 million. Nodes without names are nodes too."""
    nodes = [helper.make_node("ReduceSum", ["a", "axes"], ["sum"]), helper.make_node("Div", ["sum", "count"], ["b"])]
    axes, count = numpy_helper.from_array(np.array([2, 3])), numpy_helper.from_array(np.float32(90_000))
    axes.name, count.name = "axes", "count"
    model = graph_of(nodes, [("a", 1)], [("b", 1)], [axes, count])
    inferred = types(half(model))
    (total,) = (node for node in half(model).graph.node if node.op_type == "ReduceSum")
    assert inferred[total.input[0]] == inferred[total.output[0]] == TensorProto.FLOAT


# int8


@pytest.mark.parametrize("name", NETS)
def test_int8_is_the_same_from_outside(name):
    model, _card = exported(name)
    before = model.SerializeToString()
    made = quantised(name)
    assert model.SerializeToString() == before
    assert_same_outside(model, made)


@pytest.mark.parametrize("name", NETS)
def test_inner_convolutions_compute_in_int8_with_a_scale_a_channel(name):
    model, _card = exported(name)
    made = quantised(name)
    producers = {output: node for node in made.graph.node for output in node.output}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    convolutions = [node for node in made.graph.node if node.op_type == "Conv"]
    first, last = _first_and_last_convolution(model)
    inner = [node for node in convolutions if node.name not in (first, last)]
    assert (convolutions[0].name, convolutions[-1].name) == (first, last)
    assert len(inner) == len(convolutions) - 2 == kinds(model).count("Conv") - 2
    for node in inner:
        weights, scales, _zero = producers[node.input[1]].input
        assert constants[weights].dtype == np.int8
        assert constants[scales].shape == (constants[weights].shape[0],)
        assert producers[node.input[0]].op_type == "DequantizeLinear"
    for node in convolutions:
        if node not in inner:
            assert constants[node.input[1]].dtype == np.float32


@pytest.mark.parametrize(("name", "least_db"), [("U-Net", 40.0), ("ResNet", 29.0), ("instance", 29.0)])
def test_int8_is_close_and_ranges_come_from_the_pictures(name, least_db):
    """The control is calibrated on one picture of flat grey, whose ranges fit no other."""
    model, card = exported(name)
    assert agreement(model, quantised(name), card).psnr_db > least_db
    grey = [{"a": np.zeros((1, 3, 64, 64), np.float32)}]
    assert agreement(model, quantise(model, grey), card).psnr_db < 20.0


@pytest.mark.parametrize("name", ["U-Net", "instance"])
def test_the_first_and_the_last_convolution_are_worth_their_bits(name, monkeypatch):
    model, card = exported(name)
    ours = agreement(model, quantised(name), card)
    monkeypatch.setattr("translate.export.precision.int8._first_and_last_convolution", lambda model: [])
    everything = agreement(model, quantise(model, calibration(card)), card)
    assert everything.mean_levels > 1.3 * ours.mean_levels


def test_quantising_gives_the_same_file_twice_and_leaves_nothing_behind(tmp_path, monkeypatch, capfd, caplog):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    model, card = exported("ResNet")
    assert quantise(model, calibration(card)) == quantised("ResNet")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr().out == ""
    assert not caplog.records


def test_calibration_needs_pictures_and_inner_convolutions():
    model, card = exported("ResNet")
    with pytest.raises(ModelError, match="pictures"):
        quantise(model, [])
    bare = graph_of([helper.make_node("Neg", ["a"], ["b"])], [("a",)], [("b",)])
    with pytest.raises(ModelError, match="0 convolutions"):
        quantise(bare, calibration(card))


# Speed


class Timed:
    """Takes the seconds that it is told to take, on a clock of its own."""

    device = "fake"
    card = None

    def __init__(self, name, seconds, clock, order):
        self.name, self.seconds, self.clock, self.order = name, iter(seconds), clock, order

    def run(self, inputs):
        self.order.append(self.name)
        self.clock[0] += next(self.seconds)
        return {}


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(translate.export.precision.speed.time, "perf_counter", lambda: now[0])
    return now


def test_speed_is_the_ratio_of_medians_taken_in_turns(clock):
    order = []
    slow = Timed("slow", [99.0, 6.0, 4.0, 5.0, 80.0, 5.0], clock, order)
    fast = Timed("fast", [50.0, 2.0, 2.0, 90.0, 1.0, 2.0], clock, order)
    assert speed_ratio(slow, fast, {}, repeats=5) == pytest.approx(2.5)
    assert order == ["slow", "fast"] * 6


def test_a_slower_one_is_below_one(clock):
    slow, fast = (Timed(name, [seconds] * 9, clock, []) for name, seconds in (("slow", 3.0), ("fast", 1.0)))
    assert speed_ratio(fast, slow, {}) == pytest.approx(1 / 3)
