"""An exported model on disk: `X.onnx`, its SHA-256 beside it, and the folder's manifest, each written whole."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from translate.errors import ConfigurationError
from translate.runtime.integrity import sidecar, sidecar_line
from translate.storage.atomic import room_for, sync_folder, temporary_beside, write_through
from translate.storage.snapshot import MANIFEST


def require_own_manifest(folder: Path) -> None:
    """Raises ConfigurationError where the folder has a manifest.json of another program (a web page's, say)."""
    _manifest(folder)


def publish(path: Path, model: bytes, beside: Mapping[str, bytes]) -> None:
    """Write a model and what belongs to it; where one of them finds no room, all stays as it was.

    Args:
        path: of the model. An earlier one stays whole and loadable until all is on the disk.
        model: its bytes.
        beside: further files of the same folder, by name.

    Raises:
        ConfigurationError: the folder cannot be made, or has a manifest.json of another program.
        StorageError: the disk does not take a file.
    """
    _make(path.parent)
    digest = sidecar(path)
    files = {**beside, digest.name: sidecar_line(path.name, model), path.name: model}
    entries = _manifest(path.parent) | {name: _entry(data) for name, data in files.items()}
    contents = {**beside, MANIFEST: _told(path.parent, entries, files), **files}
    waiting = {path.parent / name: temporary_beside(path.parent / name) for name in contents}
    try:
        for target, temporary in waiting.items():
            with room_for(target, len(contents[target.name])):
                write_through(temporary, contents[target.name])
        # A model without its hash is loaded; one beside another's hash is refused, should this process die in between.
        digest.unlink(missing_ok=True)
        for target, temporary in sorted(waiting.items(), key=lambda each: each[0] == digest):
            temporary.replace(target)
        sync_folder(path.parent)
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigurationError(
            f"{folder} cannot be made ({problem.strerror}); choose another place with -o"
        ) from problem


def _manifest(folder: Path) -> dict[str, dict[str, Any]]:
    """The files that earlier exports listed; they are not hashed anew, which would call a damaged one whole."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_bytes())["files"]
        valid = all({"bytes", "sha256"} <= set(entry) for entry in entries.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        valid, entries = False, {}
    if not valid:
        raise ConfigurationError(f"{path} is not one of Pixturn's; export into another folder with -o FOLDER/NAME.onnx")
    return entries


def _told(folder: Path, entries: Mapping[str, dict[str, Any]], files: Mapping[str, bytes]) -> bytes:
    kept = {name: entry for name, entry in entries.items() if name in files or (folder / name).is_file()}
    return json.dumps({"files": dict(sorted(kept.items()))}, indent=1).encode()


def _entry(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": _digest(data)}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
