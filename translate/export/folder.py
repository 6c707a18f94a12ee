"""An exported model on disk: `X.onnx`, its SHA-256 beside it, and the folder's manifest, each written whole."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from translate.errors import ConfigurationError
from translate.storage.atomic import write_atomically
from translate.storage.snapshot import MANIFEST

DIGEST: Final = ".sha256"
"""What the name of the file with the hash ends in, after the model's own name."""


def require_own_manifest(folder: Path) -> None:
    """Raises ConfigurationError where the folder has a manifest.json of another program (a web page's, say)."""
    _manifest(folder)


def publish(path: Path, model: bytes, beside: Mapping[str, bytes]) -> None:
    """Write a model and what belongs to it; where one of them finds no room, none of the new ones stays.

    Args:
        path: of the model. It is written last: where it is, the others are.
        model: its bytes.
        beside: further files of the same folder, by name.

    Raises:
        ConfigurationError: the folder cannot be made, or has a manifest.json of another program.
        StorageError: the disk does not take a file.
    """
    _make(path.parent)
    files = {**beside, f"{path.name}{DIGEST}": sidecar(path.name, model), path.name: model}
    entries = _manifest(path.parent) | {name: _entry(data) for name, data in files.items()}
    new = [path.parent / name for name in (MANIFEST, *files) if not (path.parent / name).exists()]
    try:
        for name, data in {**beside, MANIFEST: _told(path.parent, entries, files), **files}.items():
            write_atomically(path.parent / name, data)
    except BaseException:
        for left in new:
            left.unlink(missing_ok=True)
        raise


def sidecar(name: str, data: bytes) -> bytes:
    """What `sha256sum -c` reads."""
    return f"{_digest(data)}  {name}\n".encode()


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
