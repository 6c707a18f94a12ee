"""Models whose results are known in closed form, and folders to give them."""

import numpy as np
from PIL import Image

from pipelines.tasks import Translate
from translate.card import Card, LabelMap, Picture


class Negative:
    """Every output is the negative of the input in its place: 255 - x in levels. Calls are remembered."""

    device = "cpu"

    def __init__(self, card):
        self.card = card
        self.calls = []

    def run(self, inputs):
        self.calls.append(len(inputs[self.card.inputs[0].name]))
        pairs = zip(self.card.outputs, self.card.inputs * len(self.card.outputs), strict=False)
        return {out.name: self.made(-inputs[into.name], out) for out, into in pairs}

    def made(self, numbers, port):
        return np.resize(numbers, (len(numbers), port.channels, *numbers.shape[2:]))


class Same(Negative):
    """The picture as it went in."""

    def made(self, numbers, port):
        return super().made(-numbers, port)


def card(inputs=(3,), outputs=(3,), **changes):
    """Pictures of so many channels each; a number below 0 is a label map of so many classes."""
    a, b = (
        tuple(port(f"{side}{index or ''}", channels) for index, channels in enumerate(each))
        for side, each in (("a", inputs), ("b", outputs))
    )
    return Card(task="translate", method="known", name="known", inputs=a, outputs=b, **changes)


def port(name, channels):
    return Picture(name=name, channels=channels) if channels > 0 else LabelMap(name=name, classes=-channels)


def negative(*arguments, **changes):
    return Translate(Negative(card(*arguments, **changes)))


def same(*arguments, **changes):
    return Translate(Same(card(*arguments, **changes)))


def pixels_of(seed, height=6, width=9, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def drawn(path, seed=0, **size):
    """A picture of noise at a path; returns its pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels_of(seed, **size)).save(path)
    return pixels_of(seed, **size)


def read(path):
    with Image.open(path) as image:
        image.load()
        return np.asarray(image)


def files(folder):
    """Every file below a folder but the record of its runs, by its place."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {place: path for place, path in found.items() if path.name != "run.json"}
