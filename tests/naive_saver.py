"""The broken control: one checkpoint, written over the old one in place, and read without a look at its bytes.

This is what `torch.save(state, path)` after every epoch amounts to. It has Shelf's face, so that the tests of crashes
and of full disks can be run with it, and must fail.
"""

import json
from pathlib import Path

from safetensors.torch import load_file, save

from translate.errors import ModelError
from translate.storage.snapshot import Snapshot


def write_through(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def write_in_place(folder: Path, snapshot: Snapshot) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, group in snapshot.tensors.items():
        tensors = {key: tensor.detach().contiguous() for key, tensor in group.items()}
        write_through(folder / f"{name}.safetensors", save(tensors))
    for name, document in snapshot.documents.items():
        write_through(folder / f"{name}.json", json.dumps(document).encode())


class NaiveShelf:
    def __init__(self, folder: Path, *, keep: int = 1) -> None:
        self._latest = folder / "images-000000000000"

    def all(self) -> list[int]:
        return [0] if self._latest.exists() else []

    def save(self, images: int, snapshot: Snapshot, *, best: int | None) -> None:
        write_in_place(self._latest, snapshot)

    def newest(self) -> Snapshot:
        try:
            return Snapshot(
                tensors={path.stem: load_file(path) for path in self._latest.glob("*.safetensors")},
                documents={path.stem: json.loads(path.read_bytes()) for path in self._latest.glob("*.json")},
            )
        except Exception as problem:
            raise ModelError(f"{self._latest} is lost: {problem}") from problem
