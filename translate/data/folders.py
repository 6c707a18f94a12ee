"""What lies in a folder of pictures: the pictures by key, and what is there that will not be read."""

import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from translate.data.headers import EXTENSIONS
from translate.errors import DatasetError

SPLITS: Final[Mapping[str, str]] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the splits."""
SPLIT_WORDS: Final = "|".join(sorted(SPLITS, key=len, reverse=True))
"""The same for a regular expression, longer words first."""
_LITTER = ("thumbs.db", "desktop.ini", "__macosx")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One folder and all below it. Pictures are told by extension only; none has been opened.

    `pictures` maps a key (path below the folder without extension, `/` between parts, Unicode NFC) to its files: more
    than one where names differ in the extension or in Unicode form only. `dangling` links lead nowhere; `outside` ones
    lead out of the data set (they are followed). `unread` files are of a type that is not read.
    """

    folder: Path
    pictures: Mapping[str, tuple[Path, ...]]
    unread: tuple[Path, ...] = ()
    dangling: tuple[Path, ...] = ()
    outside: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every picture file, in the order of the keys."""
        return tuple(path for paths in self.pictures.values() for path in paths)


def list_folder(folder: Path, root: Path) -> Listing:
    """List a folder of the data set at `root`. Hidden files and what systems leave behind are passed over.

    Raises:
        DatasetError: For a folder that cannot be listed.
    """
    home = root.resolve()
    pictures: dict[str, list[Path]] = {}
    unread: list[Path] = []
    dangling: list[Path] = []
    outside: list[Path] = []
    if folder.is_symlink() and not _is_within(folder, home):
        outside.append(folder)
    for path in _walk(folder, set()):
        if path.is_symlink() and not path.exists():
            dangling.append(path)
            continue
        if path.is_symlink() and not _is_within(path, home):
            outside.append(path)
        if path.suffix.lower() in EXTENSIONS:
            pictures.setdefault(key_of(path, folder), []).append(path)
        elif not path.is_dir():
            unread.append(path)
    return Listing(
        folder=folder,
        pictures={key: tuple(sorted(pictures[key])) for key in sorted(pictures)},
        unread=tuple(unread),
        dangling=tuple(dangling),
        outside=tuple(outside),
    )


def key_of(path: Path, folder: Path) -> str:
    """The name by which a picture is paired: `sub/name` for `folder/sub/name.png`, in Unicode form NFC."""
    return unicodedata.normalize("NFC", path.relative_to(folder).with_suffix("").as_posix())


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in a folder, sorted, without hidden ones.

    Raises:
        DatasetError: For a folder that is not there or cannot be listed.
    """
    return [path for path in _entries(folder) if path.is_dir() and path.suffix.lower() not in EXTENSIONS]


def holds_pictures(folder: Path, *, below: bool) -> bool:
    """Whether there is a picture (by extension) in a folder; with `below` also in folders below it."""
    if below:
        return any(path.suffix.lower() in EXTENSIONS for path in _walk(folder, set()))
    return any(path.suffix.lower() in EXTENSIONS for path in _entries(folder))


def _walk(folder: Path, visited: set[Path]) -> Iterator[Path]:
    """All files below a folder, and folders that are named like pictures; links are followed, each folder once."""
    place = folder.resolve()
    if place in visited:
        return
    visited.add(place)
    for path in _entries(folder):
        is_folder = path.is_dir() and path.suffix.lower() not in EXTENSIONS
        if not is_folder or path.is_symlink():
            yield path
        if is_folder and not place.is_relative_to(path.resolve()):
            yield from _walk(path, visited)


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as problem:
        message = f"{folder}: the folder cannot be listed ({problem.strerror}): check its name and that it may be read"
        raise DatasetError(message) from problem
    return [folder / name for name in names if not name.startswith(".") and name.lower() not in _LITTER]


def _is_within(path: Path, home: Path) -> bool:
    return path.resolve().is_relative_to(home)
