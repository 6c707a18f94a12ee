"""Data sets for tests of the picture store: every kind of picture that a sample may be made of, sound and broken."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from PIL import Image
from skimage import data as photographs

from translate.data.augmentation import Augmentation
from translate.data.domain import ports_of
from translate.data.items import Item, Source, Split
from translate.data.samples import Samples
from translate.data.store import Store

COUNT = 7
SIZES = ((40, 56), (48, 48), (61, 33), (18, 50), (14, 15), (52, 40), (33, 64))
"""Height and width: some are smaller than a crop of 16, none alike."""


@dataclass(frozen=True)
class DataSet:
    root: object
    split: Split
    ports: dict

    def samples(self, augmentation, labels=None):
        return Samples(self.split, self.ports, augmentation, seed=3, training=True, labels=labels)


@cache
def photograph():
    return photographs.astronaut()


def write(path, kind, number, size=None):
    """A cut of a photograph: other content for each kind and number."""
    height, width = size or SIZES[number % len(SIZES)]
    top, left = 9 * number, 7 * number
    rgb = photograph()[top : top + height, left + 60 : left + 60 + width]
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind.startswith("labels"):
        classes = int(kind.partition(":")[2])
        labels = rgb[..., 0].astype(np.uint16) * (1 + classes // 256) % classes
        Image.fromarray(labels.astype(np.uint8) if classes <= 256 else labels).save(path)
    elif kind == "16 bit":
        Image.fromarray(rgb[..., 0].astype(np.uint16) * 257 + number).save(path)
    elif kind == "alpha":
        Image.fromarray(np.dstack([rgb, rgb[..., :1]])).save(path)
    else:
        Image.fromarray(rgb).save(path)
    return Source(path=path)


def data_set(root, a, b=None, *, paired=True, suffix=".png", short=0):
    """Each domain is a sequence of (port's kind, kind of file); `short` items less in b."""
    domains, ports = {}, {}
    for domain, kinds in {"a": a, "b": b or ()}.items():
        if not kinds:
            continue
        ports[domain] = ports_of(tuple(port for port, _ in kinds), domain)
        count = COUNT - (short if domain == "b" else 0)
        domains[domain] = tuple(
            Item(
                key=f"{number}",
                sources=tuple(
                    write(root / f"{domain}{place}" / f"{number}{suffix}", kind, number)
                    for place, (_, kind) in enumerate(kinds)
                ),
            )
            for number in range(count)
        )
    return DataSet(root, Split(domains=domains, paired=paired and b is not None), ports)


def side_by_side(root):
    sources = [write(root / f"{number}.png", "rgb", number, (40, 48 + 2 * number)) for number in range(COUNT)]
    domains = {
        domain: tuple(
            Item(key=str(number), sources=(Source(path=source.path, half=half),))
            for number, source in enumerate(sources)
        )
        for domain, half in (("a", "left"), ("b", "right"))
    }
    return DataSet(root, Split(domains=domains, paired=True), {name: ports_of(("rgb",), name) for name in "ab"})


def cached(samples, tmp_path, root, **options):
    return samples.cached(Store(folder=tmp_path / "cache", **options), root)


def shown(samples, epochs=2):
    """Tensors and refusals of all samples."""
    found = [samples[epoch, index] for epoch in range(epochs) for index in range(len(samples))]
    return [(dict(sample.tensors), sample.refused) for sample in found]


def are_equal(first, second):
    return len(first) == len(second) and all(
        one.keys() == other.keys()
        and refused == refused_too
        and all(one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one)
        for (one, refused), (other, refused_too) in zip(first, second, strict=True)
    )


PLAIN = Augmentation(load_px=20, crop_px=16)


def shards(tmp_path):
    return sorted((tmp_path / "cache").glob("*/*.pixels"))
