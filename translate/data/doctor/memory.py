"""What the doctor has seen before: facts by path, size and time of change, in a JSON file that may be deleted."""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from translate.data.doctor.facts import Facts, View
from translate.data.refusals import OF_THE_MOMENT
from translate.errors import StorageError
from translate.storage.atomic import write_atomically
from translate.storage.cache import cache_folder

_VERSION: Final = 2


def default_cache(root: Path) -> Path | None:
    """The file for one data set, in the user's cache folder; None where there is no such folder."""
    name = hashlib.sha256(str(root.resolve()).encode(errors="surrogateescape")).hexdigest()[:16]
    try:
        return cache_folder() / f"doctor-{name}.json"
    except RuntimeError:
        return None


class Memory:
    """Facts of files that have not changed since. It only saves time, so it may be impossible to read or to write."""

    def __init__(self, file: Path | None) -> None:
        """Take the file to read and to write; None: nothing is remembered."""
        self._file = file
        self._known = {} if file is None else _load(file)
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
        """Remember facts; not that a file cannot be read now: neither permissions nor free memory show in a file."""
        stamp = _stamp(path)
        if stamp is not None and facts.reason not in OF_THE_MOMENT:
            self._seen[_name(path, views)] = {"stamp": stamp, "facts": facts.document()}

    def save(self) -> None:
        """Write all that was kept or recalled; files that are gone are forgotten."""
        if self._file is None:
            return
        with suppress(OSError, StorageError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps({"version": _VERSION, "files": self._seen}))


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
