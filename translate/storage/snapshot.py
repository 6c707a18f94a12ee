"""A snapshot: one folder that is written whole or not at all, and read only after every byte was checked.

Tensors lie in safetensors files, the rest in JSON; nothing is pickled, so reading never runs code. `manifest.json`
gives the size and SHA-256 of every file, and is checked before anything is parsed: neither torch nor ONNX Runtime
notices a flipped bit.
"""

import hashlib
import json
import shutil
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from translate.errors import ModelError
from translate.storage.atomic import no_room, room_for, write_through
from translate.storage.whole import written_whole

MANIFEST = "manifest.json"
TENSORS = ".safetensors"
_RESERVE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a snapshot holds: named groups of tensors, and named JSON documents."""

    tensors: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict[str, Mapping[str, Tensor]])
    documents: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def document(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """A document by its name. Raises ModelError where the snapshot lacks it (another Pixturn wrote it)."""
        if name not in self.documents:
            raise ModelError(f"The checkpoint has no {name}.json: it was written by another version of Pixturn")
        return self.documents[name]


def write_snapshot(folder: Path, snapshot: Snapshot) -> None:
    """Write `folder`, which must not exist, atomically. Raises StorageError where there is no room."""
    files = _serialised(snapshot)
    files[MANIFEST] = _manifest(files)
    need = sum(len(content) for content in files.values())
    folder.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder.parent).free < need + _RESERVE_BYTES:
        raise no_room(folder, need)
    with room_for(folder, need), written_whole(folder) as unfinished:
        for name, content in files.items():
            write_through(unfinished / name, content)


def read_snapshot(folder: Path, *, tensors: Collection[str] | None = None) -> Snapshot:
    """Read a snapshot.

    Args:
        folder: the snapshot's.
        tensors: the groups of tensors that are wanted, None for all; documents always come with them. Nobody reads
            the bytes of other groups, so they are not hashed: of those, only presence, kind and size are checked.

    Raises:
        ModelError: a file is missing, added, damaged or of another kind.
    """
    try:
        files = _verified(folder, tensors)
    except OSError as problem:
        raise ModelError(f"{folder} cannot be read: {problem.strerror or problem}") from problem
    try:
        return Snapshot(
            tensors={_stem(name): load_tensors(data) for name, data in files.items() if name.endswith(TENSORS)},
            documents={_stem(name): json.loads(data) for name, data in files.items() if name.endswith(".json")},
        )
    except Exception as problem:  # safetensors and json raise several kinds; each means the same here
        raise ModelError(f"{folder} cannot be read: {problem}") from problem


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _serialised(snapshot: Snapshot) -> dict[str, bytes]:
    files = {f"{name}.json": json.dumps(document, indent=1).encode() for name, document in snapshot.documents.items()}
    for name, group in snapshot.tensors.items():
        contiguous = {key: tensor.detach().cpu().contiguous() for key, tensor in group.items()}
        files[f"{name}{TENSORS}"] = save_tensors(contiguous)
    return files


def _manifest(files: Mapping[str, bytes]) -> bytes:
    entries = {name: {"bytes": len(data), "sha256": _digest(data)} for name, data in files.items()}
    return json.dumps({"files": entries}, indent=1).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _verified(folder: Path, tensors: Collection[str] | None) -> dict[str, bytes]:
    entries = _entries(folder)
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    if present != set(entries):
        raise ModelError(f"{folder}: files {sorted(present ^ set(entries))} do not match {MANIFEST}; copy it again")
    for name, entry in entries.items():
        _require_kind(folder / name, entry)
    return {name: _verified_file(folder / name, entries[name]) for name in entries if _is_wanted(name, tensors)}


def _is_wanted(name: str, tensors: Collection[str] | None) -> bool:
    return tensors is None or not name.endswith(TENSORS) or _stem(name) in tensors


def _entries(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        entries = json.loads((folder / MANIFEST).read_bytes(), object_pairs_hook=_without_repeats)["files"]
        valid = all(Path(name).name == name and {"bytes", "sha256"} <= set(entry) for name, entry in entries.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ModelError(f"{folder} is not a whole checkpoint: {MANIFEST} is missing or damaged") from problem
    if not valid:
        raise ModelError(f"{folder / MANIFEST} names files outside its folder or without a hash")
    return entries


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _require_kind(path: Path, entry: Mapping[str, Any]) -> None:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size != entry["bytes"]:
        raise ModelError(f"{path} has another size than {MANIFEST} says, or is not a file; copy the checkpoint again")


def _verified_file(path: Path, entry: Mapping[str, Any]) -> bytes:
    data = path.read_bytes()
    if _digest(data) != entry["sha256"]:
        raise ModelError(f"{path} is damaged: its SHA-256 is not the one in {MANIFEST}; copy the checkpoint again")
    return data
