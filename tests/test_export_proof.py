"""An exported graph computes what the network does, over nets, norms, sizes, batches and seeds; and what does not is
refused with the figure."""

import copy
import itertools
import time
from dataclasses import replace
from functools import cache

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper
from tiny import CPU, RECIPES, for_any_ports, noisy, photograph, photographed, small, tiny_method, tiny_recipe
from torch import nn
from torch.nn import functional

import translate.runtime.session
from pipelines.methods import method_names
from translate.card import Card, LabelMap, Picture, SizeRule
from translate.deploy import translation
from translate.errors import ModelError
from translate.export.agreement import Agreement, compare_numbers, compare_pixels
from translate.export.bars import BARS, Bar
from translate.export.fitting import fitted
from translate.export.graph import CARD_KEY, check, to_onnx
from translate.export.proof import proof_sizes, prove, prove_rows
from translate.export.session import ProtoRuntime
from translate.method import Deploy
from translate.networks.compact import Compact
from translate.networks.difference import Difference
from translate.networks.initialise import initialise
from translate.networks.lab import InLab
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet
from translate.runtime.fake import FakeRuntime
from translate.runtime.rows import drawn
from translate.runtime.statistics import with_stepwise_bytes, with_stepwise_statistics
from translate.runtime.torch import TorchRuntime

NORMS = ["instance", "instance-affine", "batch", "none"]
RESAMPLINGS = ["paper", "blur", "nearest"]
ODD_PRIME = (101, 103)
SMALL_SIZES = [(64, 64), (128, 96), (260, 132), ODD_PRIME]
LARGE_SIZES = [(512, 512), (1021, 767)]

NETS = {
    f"{kind} {norm} {resampling}": (build, {"norm": norm, "resampling": resampling})
    for (kind, build), norm, resampling in itertools.product(
        {
            "unet": lambda **options: UNet(width=4, depth=4, **options),
            "resnet": lambda **options: ResNet(width=4, blocks=3, **options),
        }.items(),
        NORMS,
        RESAMPLINGS,
    )
}
NETS["unet deep"] = (lambda: UNet(width=2, depth=8, norm="instance"), {})
NETS["difference of unet"] = (lambda: Difference(network=UNet(width=4, depth=3), inputs=3, outputs=3), {})
NETS["difference of resnet"] = (
    lambda: Difference(network=ResNet(width=4, blocks=2, resampling="nearest"), inputs=3, outputs=3),
    {},
)
NETS["dropout"] = (lambda: ResNet(width=4, blocks=2, norm="batch", dropout=0.5), {})
NETS["compact x1"] = (lambda: Compact(width=8, convolutions=3, scale=1), {})
NETS["compact x2"] = (lambda: Compact(width=8, convolutions=3, scale=2), {})
QUICK = ["resnet instance blur", "compact x2"]
AT_LARGE_SIZES = {"difference of resnet": replace(BARS["fp32"], difference=2e-4)}
"""Of some pictures of 1021 x 767 px: what it adds to its input is up to 2, and so the rounding (1.41e-4 seen)."""


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def as_if_trained(network, seed):
    """Weights that keep the signal, running statistics and affine parameters that are not their initial ones."""
    torch.manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.normal_(layer.bias, 0.0, 0.1)
        if isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.3)
            nn.init.normal_(layer.bias, 0.0, 0.3)
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0.0, 0.3)
            layer.running_var.uniform_(0.5, 2.0)
    for layer in network.modules():
        if isinstance(layer, InLab):
            _muted(layer)
    return network


def _muted(colouring: InLab) -> None:
    """Colours near those of photos (|a|, |b| about 10 of 110).

    At the border of sRGB's gamut the step from Lab is ill-conditioned: there the slope 12.92 of the gamma meets that
    of the cube, and 1e-6 of the network becomes up to 1e-4 of the picture. Random weights saturate most pixels.
    """
    *_, head = (layer for layer in colouring.network.modules() if isinstance(layer, nn.Conv2d))
    with torch.no_grad():
        head.weight.mul_(0.05)


def net(name, seed=0):
    build, options = NETS[name]
    return as_if_trained(build(**options), seed).eval()


def deploy_of(network):
    return translation(network, (Picture(name="a"),), (Picture(name="b"),))


def card_for(deploy, scale=1):
    ports = {"inputs": deploy.inputs, "outputs": deploy.outputs}
    return Card(task="translate", method="m", name="n", tiling=deploy.tiling, scale=scale, **ports)


def described(network):
    deploy = deploy_of(network)
    return deploy, card_for(deploy, getattr(network, "scale", 1))


def samples(count=3):
    names = ["astronaut", "coffee", "cat", "rocket", "chelsea"]
    return [{"a": photograph(name)} for name in names[:count]]


def torch_runtime(deploy, card):
    return TorchRuntime(deploy, card, CPU)


@cache
def exported(name, seed=0):
    deploy, card = described(net(name, seed))
    return deploy, card, to_onnx(deploy, card)


# What is in the file


@pytest.fixture(scope="module")
def resnet():
    return exported("resnet batch paper")


def dimensions(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_the_file_says_ports_dimensions_and_card_and_nothing_of_this_machine(resnet):
    _, card, model = resnet
    assert [(value.name, dimensions(value)) for value in model.graph.input] == [("a", ["batch", 3, "height", "width"])]
    assert [(value.name, dimensions(value)) for value in model.graph.output] == [("b", ["batch", 3, "height", "width"])]
    assert (model.ir_version, [(each.domain, each.version) for each in model.opset_import]) == (10, [("", 18)])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert Card.from_json(session.get_modelmeta().custom_metadata_map[CARD_KEY]) == card
    assert b".py" not in model.SerializeToString()
    assert not any(tensor.data_location for tensor in model.graph.initializer)


def test_enlarged_outputs_say_how_much():
    (output,) = exported("compact x2")[2].graph.output
    assert dimensions(output) == ["batch", 3, "2*height", "2*width"]


def test_the_module_is_left_as_it_was(resnet):
    deploy, card, _ = resnet
    before = {name: value.clone() for name, value in deploy.module.state_dict().items()}
    flags = [(part.training, [p.requires_grad for p in part.parameters()]) for part in deploy.module.modules()]
    to_onnx(deploy, card)
    assert all(torch.equal(value, before[name]) for name, value in deploy.module.state_dict().items())
    assert flags == [(part.training, [p.requires_grad for p in part.parameters()]) for part in deploy.module.modules()]


def test_a_graph_that_breaks_onnxs_rules_is_refused(resnet):
    model = copy.deepcopy(resnet[2])
    check(model)
    model.graph.node[3].input[0] = "nowhere"
    with pytest.raises(ModelError, match="not valid ONNX"):
        check(model)


# Agreement


@pytest.mark.parametrize("name", QUICK)
def test_nets_agree_at_least_usual_and_odd_sizes_alone_and_in_a_batch(name):
    deploy, card, model = exported(name)
    parity = prove(
        ProtoRuntime(model, card), torch_runtime(deploy, card), samples(), proof_sizes(card.inputs[0].size, 64)
    )
    assert 0.0 < parity.agreement.difference <= 1e-4
    assert parity.agreement.values > 0


def methods_deploys(name, shrink=small, **kinds):
    method = tiny_method(tiny_recipe(name, shrink, **kinds))
    as_if_trained(method, 1).eval()
    return method.deploys()


def proven_at_small_sizes(deploy):
    card = replace(card_for(deploy), task=deploy.task)
    if not card.takes_pictures:
        rows = drawn(card.inputs, 5, seed=1)
        return prove_rows(ProtoRuntime(to_onnx(deploy, card), card), torch_runtime(deploy, card), rows)
    pictures = [{port.name: photographed(port, place, 20, 60) for port in card.inputs} for place in (0, 20, 40)]
    sizes = [(card.inputs[0].size.at_least_px,) * 2, (33, 41)]
    return prove(ProtoRuntime(to_onnx(deploy, card), card), torch_runtime(deploy, card), pictures, sizes)


@pytest.mark.parametrize("name", method_names())
def test_every_deploy_of_every_method_agrees(name):
    for deploy in methods_deploys(name).values():
        assert proven_at_small_sizes(deploy).agreement.difference > 0.0


def test_several_ports_and_label_maps_agree():
    (deploy, *_) = methods_deploys("pix2pix", for_any_ports, a=("rgb", "labels:3"), b=("grey", "labels:4")).values()
    assert [type(port) for port in deploy.outputs] == [Picture, LabelMap]
    assert proven_at_small_sizes(deploy).agreement.difference > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("shrink", [small, noisy])
@pytest.mark.parametrize("name", RECIPES)
def test_every_deploy_of_every_recipe_agrees(name, shrink):
    for deploy in methods_deploys(name, shrink).values():
        assert proven_at_small_sizes(deploy).agreement.difference > 0.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NETS)
def test_the_whole_matrix(name, seed):
    """Batches of 1, 2 and 5; of the two large sizes, where the time goes, one batch a seed (and alone)."""
    deploy, card = described(net(name, seed))
    model = to_onnx(deploy, card)
    graph, network = ProtoRuntime(model, card), torch_runtime(deploy, card)
    least = (card.inputs[0].size.at_least_px,) * 2
    sizes = SMALL_SIZES if name != "unet deep" else SMALL_SIZES[:2]
    for count in (2, 5):
        prove(graph, network, samples(count), sizes)
        # A share of the few values at the least size says little.
        prove(graph, network, samples(count), [least], bar=replace(BARS["fp32"], changed=1.0))
    large = LARGE_SIZES if name != "unet deep" else LARGE_SIZES[:1]
    prove(graph, network, samples({0: 5, 1: 2, 2: 1}[seed]), large, bar=AT_LARGE_SIZES.get(name))


@pytest.mark.slow
def test_statistics_in_steps_are_needed_for_large_pictures(monkeypatch):
    """The control of the above: ONNX Runtime's own instance norm breaks the bar at 512 px."""
    monkeypatch.setattr(translate.runtime.session, "with_stepwise_bytes", lambda data: data)
    deploy, card, model = exported("resnet instance paper")
    graph, network = ProtoRuntime(model, card), torch_runtime(deploy, card)
    with pytest.raises(ModelError, match="at 512 x 512 px, batch of 1: the largest difference"):
        prove(graph, network, samples(1), [(512, 512)])


def test_statistics_in_steps_are_those_of_instance_norm():
    deploy, card, model = exported("resnet instance blur")
    stepwise = with_stepwise_statistics(model)
    check(stepwise)
    assert not any(node.op_type == "InstanceNormalization" for node in stepwise.graph.node)
    assert any(node.op_type == "InstanceNormalization" for node in model.graph.node)
    assert with_stepwise_bytes(model.SerializeToString()) == stepwise.SerializeToString()
    prove(ProtoRuntime(stepwise, card), torch_runtime(deploy, card), samples(), [(8, 8), (64, 48)])


@pytest.mark.slow
def test_resnet_9_of_full_width_is_proven_within_a_minute_on_two_cores():
    torch.set_num_threads(2)
    network = ResNet(norm="batch", blocks=9)
    initialise(network)
    deploy, card = described(network.eval())
    before = time.process_time()
    prove(
        ProtoRuntime(to_onnx(deploy, card), card),
        torch_runtime(deploy, card),
        samples(),
        proof_sizes(card.inputs[0].size, 256),
    )
    assert (time.process_time() - before) / 2 < 60.0


class OtherClass(nn.Module):
    """A generator that was exported with its classes shifted by one."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, z, label):
        return self.network(z, (label + 1) % 3)


def test_a_generator_that_makes_another_class_is_refused():
    (deploy,) = methods_deploys("cgan").values()
    card = replace(card_for(deploy), task=deploy.task)
    shifted = to_onnx(replace(deploy, module=OtherClass(deploy.module).eval()), card)
    with pytest.raises(ModelError, match="on random inputs"):
        prove_rows(ProtoRuntime(shifted, card), torch_runtime(deploy, card), drawn(card.inputs, 5, seed=1))


def test_a_generators_file_says_ports_and_dimensions():
    (deploy,) = methods_deploys("cgan").values()
    card = replace(card_for(deploy), task=deploy.task)
    model = to_onnx(deploy, card)
    assert [(value.name, dimensions(value)) for value in model.graph.input] == [
        ("z", ["batch", 8]),
        ("label", ["batch"]),
    ]
    assert [(value.name, dimensions(value)) for value in model.graph.output] == [("x", ["batch", 3, 32, 32])]
    assert Card.from_json(card.to_json()) == card


# Broken controls: each is a plausible mistake


def flipped(model):
    """The largest weight with the other sign."""
    model = copy.deepcopy(model)
    tensor = next(each for each in model.graph.initializer if len(each.dims) == 4)
    values = numpy_helper.to_array(tensor).copy()
    place = np.unravel_index(np.abs(values).argmax(), values.shape)
    values[place] *= -1
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model


def rescaled(model):
    """A graph for pictures in [0, 1]."""
    model = copy.deepcopy(model)
    (name,) = (value.name for value in model.graph.input)
    for node in model.graph.node:
        node.input[:] = ["in [0, 1]" if each == name else each for each in node.input]
    constants = [numpy_helper.from_array(np.float32(value), f"c{value}") for value in (1.0, 2.0)]
    model.graph.initializer.extend(constants)
    before = [helper.make_node("Add", [name, "c1.0"], ["up"]), helper.make_node("Div", ["up", "c2.0"], ["in [0, 1]"])]
    nodes = [*before, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def forgetful(model):
    """Biases, and the running statistics that went into them, are left out."""
    model = copy.deepcopy(model)
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 1 and tensor.data_type == onnx.TensorProto.FLOAT:
            values = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(np.zeros_like(values), tensor.name))
    return model


@pytest.mark.parametrize("breaks", [flipped, rescaled, forgetful])
def test_a_graph_that_computes_something_else_is_refused_with_size_batch_figure_and_bar(resnet, breaks):
    deploy, card, model = resnet
    sizes = [(33, 21)]
    prove(ProtoRuntime(model, card), torch_runtime(deploy, card), samples(), sizes)
    with pytest.raises(
        ModelError, match=r"at 33 x 21 px, batch of 3: the largest difference is [\d.]+; at most 0.0001"
    ):
        prove(ProtoRuntime(breaks(model), card), torch_runtime(deploy, card), samples(), sizes)


def test_a_part_in_training_mode_is_refused_with_its_name():
    deploy, card = described(net("dropout"))
    deploy.networks[0].blocks[1].train()
    with pytest.raises(ModelError, match=r"training mode \(network\.blocks\.1"):
        to_onnx(deploy, card)


def test_a_network_that_is_deployed_itself_in_training_mode_is_refused():
    network = nn.Conv2d(3, 3, 1)
    deploy = Deploy(
        module=network, networks=(network,), task="t", inputs=(Picture(name="a"),), outputs=(Picture(name="b"),)
    )
    with pytest.raises(ModelError, match="training mode"):
        to_onnx(deploy, card_for(deploy))


class Wrapped(nn.Module):
    size_rule = SizeRule(multiple_of_px=4, at_least_px=8)
    tiling = "forbidden"

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)


class FixedSize(Wrapped):
    def forward(self, x):
        return functional.interpolate(self.network(x), size=(64, 64))


class FixedBatch(Wrapped):
    def forward(self, x):
        return self.network(x).view(2, 3, *x.shape[2:])


@pytest.mark.parametrize("broken", [FixedSize, FixedBatch])
def test_a_module_for_one_size_is_refused(broken):
    deploy, card = described(broken(nn.Conv2d(3, 3, 1)).eval())
    with pytest.raises(ModelError, match="every batch and size"):
        to_onnx(deploy, card)


class Dropping(Wrapped):
    """Dropout that nobody switched off, so weak that the bar of the difference does not see it."""

    def forward(self, x):
        return self.network(x) + 1e-6 * functional.dropout(torch.ones_like(x), 0.5, training=True)


class Mixing(Wrapped):
    """Statistics of the batch."""

    def forward(self, x):
        return self.network(x) - 0.1 * x.mean(dim=(0, 2, 3), keepdim=True)


def test_dropout_that_acts_is_refused():
    network = nn.Conv2d(3, 3, 1)
    plain, card = described(Wrapped(network).eval())
    graph = ProtoRuntime(to_onnx(plain, card), card)
    with pytest.raises(ModelError, match="the trained network gives other numbers when it is run again"):
        prove(graph, torch_runtime(deploy_of(Dropping(network).eval()), card), samples(), [(16, 16)])


def test_a_network_that_looks_at_the_rest_of_the_batch_is_refused_though_the_graph_agrees():
    deploy, card = described(Mixing(nn.Conv2d(3, 3, 1)).eval())
    graph, network = ProtoRuntime(to_onnx(deploy, card), card), torch_runtime(deploy, card)
    prove(graph, network, samples(1), [(16, 16)])
    with pytest.raises(ModelError, match=r"batch of 1: the picture differs by .* from itself in a batch of 3"):
        prove(graph, network, samples(), [(16, 16)])


# The bars themselves, on figures made by hand

PORTS = (Picture(name="b"),)
FAKE = Card(task="translate", method="m", name="n", inputs=(Picture(name="a"),), outputs=PORTS)


class Off(FakeRuntime):
    """Some of what FakeRuntime gives, shifted."""

    def __init__(self, shift, rows=slice(None)):
        super().__init__(FAKE)
        self._shift, self._rows = shift, rows

    def run(self, inputs):
        made = {name: array.copy() for name, array in super().run(inputs).items()}
        made["b"][..., self._rows, :] += np.float32(self._shift)
        return made


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize(
    ("graph", "bar", "words"),
    [
        (Off(1.1e-4), Bar(difference=1e-4), "largest difference is 0.00011; at most 0.0001"),
        (Off(0.02), Bar(levels=2), "3 levels of 255 off; at most 2"),
        (Off(0.01), Bar(mean_levels=1.0), "mean difference is 1.2[78] levels; at most 1"),
        (Off(0.2, slice(0, 1)), Bar(psnr_db=40.0), "PSNR is .* dB; at least 40"),
        (Off(0.01), Bar(changed=0.005), r"\d\d\.\d\d% of the values have another level; at most 0.50% may"),
        (Off(float("nan")), BARS["fp32"], "largest difference is nan"),
    ],
)
def test_each_bar_refuses_what_is_beyond_it(graph, bar, words):
    prove(Off(0.0), Off(0.0), samples(), [(16, 16)], bar=bar)
    with pytest.raises(ModelError, match=words):
        prove(graph, Off(0.0), samples(), [(16, 16)], bar=bar)


def test_another_shape_is_refused():
    class Longer(FakeRuntime):
        def run(self, inputs):
            return {name: array[:, :2] for name, array in super().run(inputs).items()}

    with pytest.raises(ModelError, match="has the shape"):
        prove(Longer(FAKE), Off(0.0), samples(), [(16, 16)])


def test_a_graph_that_is_not_repeatable_is_refused():
    class Restless(FakeRuntime):
        runs = 0

        def run(self, inputs):
            self.runs += 1
            return {name: array + np.float32(1e-7 * self.runs) for name, array in super().run(inputs).items()}

    with pytest.raises(ModelError, match="the exported graph gives other numbers when it is run again"):
        prove(Restless(FAKE), Off(0.0), samples(), [(16, 16)])


def test_figures_by_hand():
    expected = {"b": np.zeros((1, 3, 2, 2), np.float32)}
    made = {"b": expected["b"].copy()}
    made["b"][0, 0, 0, 0] = 0.4
    agreement = compare_numbers(made, expected, PORTS)
    assert agreement.difference == pytest.approx(0.4)
    assert agreement.mean_levels == pytest.approx(0.4 / 12 * 127.5)
    assert agreement.psnr_db == pytest.approx(10 * np.log10(4 / (0.16 / 12)))
    # 0 is the middle, 127.5, and rounds to 128 (halves to even); 0.4 is 178.5, and rounds to 178.
    assert (agreement.levels, agreement.changed, agreement.values) == (50.0, 1, 12)
    assert agreement.share_changed == pytest.approx(1 / 12)


def test_what_leaves_the_range_counts_as_its_end():
    one, other = ({"b": np.full((1, 3, 2, 2), value, np.float32)} for value in (1.5, 0.75))
    assert compare_numbers(one, other, PORTS).difference == 0.25


def test_classes_have_no_distance():
    port = LabelMap(name="b", classes=9)
    one, other = np.zeros((1, 2, 2, 1), np.uint8), np.full((1, 2, 2, 1), 8, np.uint8)
    assert compare_pixels({"b": one}, {"b": other}, (port,)) == Agreement(levels=0.0, changed=4, values=4)


def test_sizes_of_a_proof_and_pictures_at_them():
    rule = SizeRule(multiple_of_px=4, at_least_px=8)
    least, usual, *odd = proof_sizes(rule, 256)
    assert (least, usual) == ((8, 8), (256, 256))
    assert len(odd) == 2
    assert all(side % 2 for size in odd for side in size)
    labels = np.array([[0, 7], [3, 5]], np.uint8)
    resized = fitted({"a": photograph("cat"), "m": labels}, 5, 7)
    assert (resized["a"].shape, resized["m"].shape) == ((5, 7, 3), (5, 7, 1))
    assert set(np.unique(resized["m"])) == {0, 3, 5, 7}
    assert resized["a"].std() > 10


def test_onnx_runtime_refusing_a_graph_is_an_error_of_ours(resnet):
    _, card, model = resnet
    broken = onnx.ModelProto()
    broken.CopyFrom(model)
    broken.graph.node[0].op_type = "Nonsense"
    with pytest.raises(ModelError, match="does not take the exported graph"):
        ProtoRuntime(broken, card)
    with pytest.raises(ModelError, match=r"cannot be run on 1 x 5 x 16 x 16"):
        ProtoRuntime(model, card).run({"a": np.zeros((1, 5, 16, 16), np.float32)})
