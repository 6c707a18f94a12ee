"""Models and a bench for tests of the page, without a server."""

from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import tiny_onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from pipelines.batch.reading import Reader, limits_for
from pipelines.page.bench import Bench
from pipelines.page.jobs import Job, Jobs
from pipelines.page.models import Shelf, offered
from pipelines.page.serving import Opened
from translate.card import Card, FixedPicture, Label, LabelMap, Latent, Mask, Picture, Vector


@dataclass
class Folder:
    path: Path
    numbers: count
    scratch_bytes: int = 10**9

    @property
    def scratch(self):
        place = self.path / "scratch"
        place.mkdir(exist_ok=True)
        return place

    def new(self, suffix):
        place = self.path / f"result-{next(self.numbers)}"
        place.mkdir()
        return place / f"result{suffix}"


@dataclass
class Intake:
    """As the page's own, but in this process."""

    folder: Folder

    def read(self, card, paths):
        return Reader(card=card, limits=limits_for(10_000_000), alpha="keep").read(tuple(map(Path, paths)))

    def decode(self, path, *, channels=3):
        port = Picture(name="picture", channels=channels)
        sample = self.read(Card(task="translate", method="none", name="none", inputs=(port,), outputs=(port,)), [path])
        return Opened(pixels=sample.pixels["picture"], carried=sample.carried)


def bench_in(path):
    path.mkdir()
    return Bench(intake=Intake(Folder(path, count())), shelf=Shelf("cpu"), jobs=Jobs())


def job():
    return Job(lambda part, words: None)


def _node(kind, inputs, output, **attributes):
    return helper.make_node(kind, list(inputs), [output], **attributes)


def _constant(name, values):
    return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def _card(task, inputs, outputs=("b",), **changes):
    outputs = tuple(Picture(name=name) for name in outputs)
    return Card(task=task, method="known", name=task, inputs=inputs, outputs=outputs, **changes)


def _saved(folder, name, card, nodes, constants=()):
    inputs = [(port.name, port.channels) for port in card.inputs]
    outputs = [(port.name, port.channels) for port in card.outputs]
    model = tiny_onnx.graph_of(nodes, inputs, outputs, constants)
    (folder / name).mkdir(parents=True)
    return tiny_onnx.with_sidecar(tiny_onnx.saved(folder / name / f"{name}.onnx", model, card.to_json()))


def write_all(folder):
    """A bundle for every way in which pictures go in; what each does is exact."""
    a = Picture(name="a")
    _saved(
        folder,
        "x2",
        _card("upscale", (a,), scale=2, tiling="exact"),
        [_node("Resize", ["a", "", "scales"], "b", mode="nearest")],
        [_constant("scales", [1, 1, 2, 2])],
    )
    _saved(folder, "inpaint", _card("inpaint", (a, Mask(name="mask"))), [_node("Sub", ["a", "mask"], "b")])
    _saved(folder, "negative", _card("translate", (a,)), [_node("Neg", ["a"], "b")])
    _saved(
        folder,
        "walls",
        _card("translate", (a, LabelMap(name="labels", classes=3)), outputs=("b", "c")),
        [_node("Mul", ["a", "labels"], "b"), _node("Neg", ["a"], "c")],
    )
    return folder


GREY = FixedPicture(name="x", channels=1, height_px=8, width_px=6)


def write_others(folder):
    """A bundle for every other way to a place on the page: numbers, a picture given back, points."""
    y, z = replace(GREY, name="y"), Latent(name="z", size=2)
    numbers = Vector(name="scores", size=6), Vector(name="code", size=48)
    nodes = [
        _node("ReduceMean", ["x", "rows"], "columns", keepdims=0),
        _node("Softmax", ["columns"], "scores", axis=1),
        _node("Flatten", ["x"], "code"),
    ]
    _other(folder, "reader", "encode", (GREY,), numbers, nodes, [_whole("rows", [1, 2])])
    _other(folder, "again", "reconstruct", (GREY,), (y,), [_node("Neg", ["x"], "y")])
    label = Label(name="label", classes=2, names=("as it is", "dark"))
    nodes = [
        _node("Cast", ["label"], "number", to=TensorProto.FLOAT),
        _node("Reshape", ["number", "shape"], "column"),
        _node("Sub", ["x", "column"], "y"),
    ]
    _other(folder, "classes", "reconstruct", (GREY, label), (y,), nodes, [_whole("shape", [-1, 1, 1, 1])])
    nodes = [_node("Concat", ["z", "z"], "zz", axis=1), _node("Slice", ["zz", "starts", "ends", "axes"], "p")]
    ends = [_whole("starts", [0]), _whole("ends", [3]), _whole("axes", [1])]
    _other(folder, "points", "generate", (z,), (Vector(name="p", size=3),), nodes, ends)
    return folder


def _whole(name, values):
    return numpy_helper.from_array(np.asarray(values, dtype=np.int64), name)


def _other(folder, name, task, inputs, outputs, nodes, constants=()):
    card = Card(task=task, method="known", name=name, inputs=inputs, outputs=outputs)
    graph = helper.make_graph(nodes, "graph", [*map(_value, inputs)], [*map(_value, outputs)])
    graph.initializer.extend(constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (folder / name).mkdir(parents=True)
    return tiny_onnx.with_sidecar(tiny_onnx.saved(folder / name / f"{name}.onnx", model, card.to_json()))


def _value(port):
    if isinstance(port, FixedPicture):
        return helper.make_tensor_value_info(
            port.name, TensorProto.FLOAT, ["N", port.channels, port.height_px, port.width_px]
        )
    if isinstance(port, Label):
        return helper.make_tensor_value_info(port.name, TensorProto.INT64, ["N"])
    return helper.make_tensor_value_info(port.name, TensorProto.FLOAT, ["N", port.size])


def averaged(folder, tiling="whole-picture statistics"):
    """b is -a, with every channel's mean and spread over the whole picture taken out of it."""
    halves, zeros = _constant("halves", [0.5] * 3), _constant("zeros", [0.0] * 3)
    nodes = [_node("Neg", ["a"], "waits"), _node("InstanceNormalization", ["waits", "halves", "zeros"], "b")]
    return _saved(folder, "averaged", _card("translate", (Picture(name="a"),), tiling=tiling), nodes, [halves, zeros])


def averaged_of(numbers):
    """What `averaged` makes of H x W x 3 in [-1, 1], by the formula."""
    return 0.5 * (numbers.mean((0, 1)) - numbers) / np.sqrt(numbers.var((0, 1)) + 1e-5)


def slow(folder, layers=12):
    """Seconds of convolutions, that change nothing."""
    weights = np.zeros((64, 64, 3, 3), np.float32)
    nodes = [_node("Conv", ["a", "in"], "x0", pads=[1] * 4)]
    nodes += [_node("Conv", [f"x{i}", "w"], f"x{i + 1}", pads=[1] * 4) for i in range(layers)]
    nodes += [_node("Conv", [f"x{layers}", "out"], "y", pads=[1] * 4), _node("Add", ["y", "a"], "b")]
    constants = [_constant("in", np.zeros((64, 3, 3, 3))), _constant("w", weights), _constant("out", weights[:3])]
    return _saved(folder, "slow", _card("translate", (Picture(name="a"),)), nodes, constants)


def offers_in(folder):
    return {offer.name: offer for offer in offered((), folder)}


def picture(path, *, size=(23, 17), seed=0, **save):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **save)
    return path
