"""Models that take several pictures at once find them in as many folders, by place and name; a file goes with all."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from translate.data.headers import EXTENSIONS
from translate.errors import PictureError


class Partners:
    """The pictures that go with those of one folder: of the same name, or of the same stem where only one has it.

    Args:
        tops: for each further input, the folder of its pictures, which is like the one that is translated; or a file,
            which goes with every picture.
        place: the folder below them. It is listed once, when this is made.
    """

    def __init__(self, tops: Sequence[Path], place: Path) -> None:
        self._places = tuple(_File(top) if top.is_file() else _Folder(top / place) for top in tops)

    def of(self, name: str) -> tuple[Path, ...]:
        """One picture of each folder.

        Raises:
            PictureError: `missing_partner` or `ambiguous_partner`.
        """
        return tuple(place.partner(name) for place in self._places)


@dataclass(frozen=True)
class _File:
    path: Path

    def partner(self, _: str) -> Path:
        return self.path


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_stem = _by_stem(path)

    def partner(self, name: str) -> Path:
        return self._path / _partner(name, self._by_stem, self._path)


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
