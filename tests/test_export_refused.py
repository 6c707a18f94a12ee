"""A graph that does not compute what the network does is refused with the figure: each is a plausible mistake."""

import copy
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from exported_nets import card_for, deploy_of, described, exported, methods_deploys, net, samples, torch_runtime
from onnx import helper, numpy_helper
from torch import nn
from torch.nn import functional

from translate.card import Picture, SizeRule
from translate.errors import ModelError
from translate.export.graph import to_onnx
from translate.export.proof import prove, prove_rows
from translate.export.session import ProtoRuntime
from translate.method import Deploy
from translate.runtime.rows import drawn

pytestmark = pytest.mark.usefixtures("one_thread")


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
def test_a_graph_that_computes_something_else_is_refused_with_size_batch_figure_and_bar(breaks):
    deploy, card, model = exported("resnet batch paper")
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
