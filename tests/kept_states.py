"""States of a run that can be told from one another, and folders of them: whole, damaged, interrupted."""

import hashlib

import torch

from translate.storage.atomic import TEMPORARY
from translate.storage.shelf import Shelf
from translate.storage.snapshot import Snapshot


def state(seed, *, size=1000):
    draw = torch.Generator().manual_seed(seed)
    weights = {"a.weight": torch.randn(size, generator=draw), "count": torch.tensor(seed)}
    return Snapshot(
        tensors={"networks": weights, "optimisers": {"exp_avg": torch.randn(size // 2, generator=draw)}},
        documents={"progress": {"images": seed, "rate": 0.1}, "recipe": {"name": "ü"}},
    )


def is_state(read, seed):
    expected = state(seed)
    return read.documents == expected.documents and all(
        torch.equal(read.tensors[group][key], tensor)
        for group, tensors in expected.tensors.items()
        for key, tensor in tensors.items()
    )


def hash_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()


def temporaries(folder):
    return [path for path in folder.rglob("*") if path.name.startswith(TEMPORARY)]


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def filled(tmp_path, *positions, best=None, keep=3):
    run = Shelf(tmp_path / "snapshots", keep=keep)
    for images in positions:
        run.save(images, state(images), best=best)
    return run


def damage(run, images):
    flip(run.path(images) / "networks.safetensors", 5000)
