"""Generators whose pictures are known: x = z W, plus a level a class and the first code; runtime, .onnx and torch."""

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper
from tiny_onnx import with_card, with_sidecar
from torch import nn

from translate.card import Card, FixedPicture, Label, Latent, Vector

Z = Latent(name="z", size=6)
CODE = Latent(name="code", size=2, distribution="uniform")
DIGIT = Label(name="digit", classes=3, names=("nought", "one", "two"))
PICTURE = FixedPicture(name="picture", channels=3, height_px=5, width_px=4)
GREY = FixedPicture(name="picture", channels=1, height_px=4, width_px=4)
POINT = Vector(name="point", size=2)


def card(inputs=(Z, DIGIT, CODE), outputs=(PICTURE,), **changes):
    return Card(task="generate", method="linear", name="toy", inputs=inputs, outputs=outputs, **changes)


def weights(port, size=Z.size, scale=0.15):
    return np.random.default_rng(5).normal(0, scale, (size, int(np.prod(shape_of(port))))).astype(np.float32)


def shape_of(port):
    return (port.size,) if isinstance(port, Vector) else (port.channels, port.height_px, port.width_px)


class LinearGenerator:
    """Also remembers what it was given, batch after batch."""

    device = "fake"

    def __init__(self, card=None):
        self.card = card or globals()["card"]()
        self.seen = []

    def run(self, inputs):
        self.seen.append({name: array.copy() for name, array in inputs.items()})
        return {port.name: self._made(inputs, port) for port in self.card.outputs}

    def _made(self, inputs, port):
        # A row at a time: the sums are then the same in batches of every size.
        flat = np.stack([(row[:, None] * weights(port, len(row))).sum(0) for row in inputs["z"]])
        for name, offset in (("digit", 0.2), ("code", 0.1)):
            if name in inputs:
                flat = flat + np.float32(offset) * inputs[name].reshape(len(flat), -1)[:, :1].astype(np.float32)
        return flat.astype(np.float32).reshape(-1, *shape_of(port))


def saved_onnx(path, with_label=True):
    """The same without a code, with a grey picture, as a file."""
    ports = (Z, DIGIT) if with_label else (Z,)
    values = [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", Z.size])]
    nodes = [helper.make_node("MatMul", ["z", "w"], ["flat"])]
    if with_label:
        values.append(helper.make_tensor_value_info("digit", TensorProto.INT64, ["N"]))
        nodes += [
            helper.make_node("Gather", ["levels", "digit"], ["level"]),
            helper.make_node("Add", ["flat", "level"], ["sum"]),
        ]
    nodes.append(helper.make_node("Reshape", [nodes[-1].output[0], "shape"], ["picture"]))
    constants = {
        "w": weights(GREY),
        "levels": np.array([[0.0], [0.2], [0.4]], dtype=np.float32),
        "shape": np.array([-1, 1, GREY.height_px, GREY.width_px], dtype=np.int64),
    }
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "generator",
        values,
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 1, GREY.height_px, GREY.width_px])],
        [numpy_helper.from_array(array, name) for name, array in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    with_card(model, card(inputs=ports, outputs=(GREY,)).to_json())
    path.write_bytes(model.SerializeToString())
    return with_sidecar(path)


class Decoder(nn.Module):
    """A small random generator with a hidden layer, for inversion."""

    def __init__(self, latent=4, classes=0, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.hidden = nn.Linear(latent + classes, 32)
        self.out = nn.Linear(32, 3 * 8 * 8)
        self.classes = classes

    def forward(self, z, label=None):
        if label is not None:
            z = torch.cat([z, 2 * nn.functional.one_hot(label, self.classes).float()], dim=1)
        return torch.tanh(self.out(nn.functional.leaky_relu(self.hidden(z), 0.2))).reshape(-1, 3, 8, 8)
