"""Where mixed models are kept: a few of them, in the user's cache folder, each in a folder that is whole or not there.

Any number of processes may make the same one: each makes it under a name of its own and renames it, and who comes
second takes what is there. Where the cache cannot be written, a mix lies in a temporary folder until the process ends.
Deleting the folder is safe.
"""

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from translate.errors import ModelError
from translate.runtime.integrity import read_model, sidecar, sidecar_line
from translate.storage.atomic import TEMPORARY, write_through
from translate.storage.cache import cache_folder
from translate.storage.whole import written_whole

MOST: Final = 16
"""Mixes that are kept; those that were asked for longest ago go."""

_MANIFEST: Final = "manifest.json"
_ABANDONED_SEC: Final = 3600.0
_ONLY_THE_USER: Final = 0o700


def kept_mix(key: str, name: str, make: Callable[[], bytes]) -> Path:
    """The file of a mix, which is made where it is not kept yet, or is damaged.

    Args:
        key: says what it is made of; a folder's name.
        name: of the file.
        make: gives its bytes.
    """
    try:
        folder = cache_folder() / "mixed" / key
    except RuntimeError:  # no home
        return _for_now(name, make())
    found = _found(folder / name)
    if found is not None:
        return found
    model = make()
    try:
        return _kept(folder, name, model)
    except OSError:  # no right to write, or no room
        return _for_now(name, model)


def _found(path: Path) -> Path | None:
    try:
        if not read_model(path).has_known_hash:
            return None
    except ModelError:
        return None
    with contextlib.suppress(OSError):
        os.utime(path.parent)
    return path


def _kept(folder: Path, name: str, model: bytes) -> Path:
    """Under its own name; another process may have been first, or have left a damaged one there."""
    folder.parent.mkdir(mode=_ONLY_THE_USER, parents=True, exist_ok=True)
    try:
        with written_whole(folder, mode=_ONLY_THE_USER) as unfinished:
            _write(unfinished, name, model)
            if folder.exists() and _found(folder / name) is None:
                shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        if _found(folder / name) is None:
            raise
    _forget(folder.parent, but=folder)
    return folder / name


def _write(folder: Path, name: str, model: bytes) -> None:
    """The model, its hash and a manifest, as an export has them."""
    digest = sidecar(folder / name).name
    files = {name: model, digest: sidecar_line(name, model)}
    entries = {each: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for each, data in files.items()}
    for each, data in {**files, _MANIFEST: json.dumps({"files": entries}, indent=1).encode()}.items():
        write_through(folder / each, data)


def _forget(cache: Path, *, but: Path) -> None:
    """Remove what was not asked for in the longest time, and what a killed process left half made."""
    with contextlib.suppress(OSError):  # another process removes at the same moment
        ages = {folder: folder.stat().st_mtime for folder in cache.iterdir() if folder != but}
        made = {folder: age for folder, age in ages.items() if not folder.name.startswith(TEMPORARY)}
        old = sorted(made, key=lambda folder: made[folder], reverse=True)[MOST - 1 :]
        abandoned = [folder for folder in ages.keys() - made if ages[folder] < time.time() - _ABANDONED_SEC]
        for folder in (*old, *abandoned):
            shutil.rmtree(folder, ignore_errors=True)


def _for_now(name: str, model: bytes) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pixturn-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "mixed").mkdir(mode=_ONLY_THE_USER)
    _write(folder / "mixed", name, model)
    return folder / "mixed" / name
