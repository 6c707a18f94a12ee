"""Models that take several pictures at once find them in as many folders, by place and name."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from translate.data.headers import EXTENSIONS
from translate.errors import PictureError


class Partners:
    """The pictures that go with those of one folder: of the same name, or of the same stem where only one has it.

    The folders are listed once, when this is made.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple((folder, _by_stem(folder)) for folder in folders)

    def of(self, name: str) -> tuple[Path, ...]:
        """One picture of each folder.

        Raises:
            PictureError: `missing_partner` or `ambiguous_partner`.
        """
        return tuple(folder / _partner(name, by_stem, folder) for folder, by_stem in self._folders)


def _partner(name: str, by_stem: dict[str, list[str]], folder: Path) -> str:
    found = by_stem.get(_stem(name), [])
    if name in found:
        return name
    if not found:
        raise PictureError("missing_partner", f"{name} has no partner of that name in {folder}")
    if len(found) > 1:
        raise PictureError("ambiguous_partner", f"{name} could go with {' or '.join(found)} in {folder}: leave one")
    return found[0]


def _by_stem(folder: Path) -> dict[str, list[str]]:
    by_stem = dict[str, list[str]]()
    for name in _names(folder):
        if Path(name).suffix.lower() in EXTENSIONS:
            by_stem.setdefault(_stem(name), []).append(name)
    return by_stem


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:  # then every picture misses its partner, and is told so
        return []


def _stem(name: str) -> str:
    """Names that differ only in their ending or Unicode form belong together."""
    return unicodedata.normalize("NFC", Path(name).stem)
