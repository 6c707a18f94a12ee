"""Small .onnx models, made without torch."""

import hashlib

from onnx import TensorProto, helper

from translate.card import Card, Picture, SizeRule
from translate.runtime.onnx import CARD_KEY

EIGHTS = SizeRule(multiple_of_px=8)


def value(name, channels=3):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, "H", "W"])


def graph_of(nodes, inputs, outputs, constants=(), opset=18):
    graph = helper.make_graph(nodes, "graph", [value(*each) for each in inputs], [value(*each) for each in outputs])
    graph.initializer.extend(constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def card(inputs=("a",), outputs=("b",), size=EIGHTS, **changes):
    inputs, outputs = (tuple(Picture(name=name, size=size) for name in names) for names in (inputs, outputs))
    return Card(task="translate", method="negative", name="tiny", inputs=inputs, outputs=outputs, **changes)


CARD = card().to_json()


def with_card(model, text=CARD):
    helper.set_model_props(model, {CARD_KEY: text})
    return model


def saved(path, model, text=CARD):
    if text is not None:
        with_card(model, text)
    path.write_bytes(model.SerializeToString())
    return path


def negative(path, text=CARD):
    """b = -a, that is 255 - x in levels."""
    return saved(path, graph_of([helper.make_node("Neg", ["a"], ["b"])], [("a",)], [("b",)]), text)


def with_sidecar(path):
    """As an exported file has it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")
    return path
