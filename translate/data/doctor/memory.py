"""What the doctor has seen before: facts by path, size and time of change, in a JSON file that may be deleted."""

import hashlib
import json
import os
import sys
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from translate.data.doctor.facts import Facts, View

_VERSION: Final = 1


def default_cache(root: Path) -> Path:
    """The file for one data set, in the user's cache folder."""
    name = hashlib.sha256(str(root.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    return _cache_folder() / "pixturn" / f"doctor-{name}.json"


def _cache_folder() -> Path:
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")


class Memory:
    """Facts of files that have not changed since. Not being able to read or write it is no error: it saves time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _load(file)
        self._seen: dict[str, Any] = {}

    def recall(self, path: Path, views: tuple[View, ...]) -> Facts | None:
        """The facts of a file as it is now; None if it is new or has changed."""
        name = _name(path, views)
        entry = self._known.get(name)
        if entry is None or entry.get("stamp") != _stamp(path):
            return None
        with suppress(KeyError, TypeError, ValueError):
            facts = Facts.from_document(entry["facts"])
            self._seen[name] = entry
            return facts
        return None

    def keep(self, path: Path, views: tuple[View, ...], facts: Facts) -> None:
        """Remember facts; not of files that cannot be read now, since permissions leave no trace in a file."""
        stamp = _stamp(path)
        if stamp is not None and facts.reason != "unreadable":
            self._seen[_name(path, views)] = {"stamp": stamp, "facts": facts.document()}

    def save(self) -> None:
        """Write all that was kept or recalled; files that are gone are forgotten."""
        unfinished = self._file.with_name(f".{uuid.uuid4().hex}.tmp")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps({"version": _VERSION, "files": self._seen}), encoding="utf-8")
            unfinished.replace(self._file)


def _load(file: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["version"] == _VERSION:
            return dict(document["files"])
    return {}


def _stamp(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _name(path: Path, views: tuple[View, ...]) -> str:
    return json.dumps([str(path.absolute()), [asdict(view) for view in views]])
