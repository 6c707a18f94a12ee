"""What stands in an exported file, and nothing else."""

import copy
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from exported_nets import card_for, exported, methods_deploys

from translate.card import Card
from translate.errors import ModelError
from translate.export.graph import CARD_KEY, check, to_onnx
from translate.export.session import ProtoRuntime

pytestmark = pytest.mark.usefixtures("one_thread")


def dimensions(value):
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


@pytest.fixture(scope="module")
def resnet():
    return exported("resnet batch paper")


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


def test_onnx_runtime_refusing_a_graph_is_an_error_of_ours(resnet):
    _, card, model = resnet
    broken = onnx.ModelProto()
    broken.CopyFrom(model)
    broken.graph.node[0].op_type = "Nonsense"
    with pytest.raises(ModelError, match="does not take the exported graph"):
        ProtoRuntime(broken, card)
    with pytest.raises(ModelError, match=r"cannot be run on 1 x 5 x 16 x 16"):
        ProtoRuntime(model, card).run({"a": np.zeros((1, 5, 16, 16), np.float32)})
