"""Models and a bench for tests of the page, without a server."""

from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import tiny_onnx
from onnx import helper, numpy_helper
from PIL import Image

from pipelines.batch.reading import Reader, limits_for
from pipelines.page.bench import Bench
from pipelines.page.jobs import Job, Jobs
from pipelines.page.models import Shelf, offered
from translate.card import Card, LabelMap, Mask, Picture


@dataclass
class Folder:
    path: Path
    numbers: count

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
