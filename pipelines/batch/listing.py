"""What lies in a folder that is to be translated, one sub-folder at a time.

- A picture is told by the ending of its name; hidden files and folders (a leading dot) and what systems leave behind
  are passed over.
- Links are followed, also out of the folder: a link to a picture is that picture, a link to a folder is searched,
  unless it leads back to a folder that the link lies in. Each folder is searched once, under the first of its names.
- A sub-folder that cannot be listed is a failure of its own, and the others go on.
- What is called like a picture and is none (a pipe, a link that leads nowhere) is left to the reader to refuse.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.batch.failures import Failure
from translate.data.headers import EXTENSIONS
from translate.errors import DatasetError

_LITTER: Final = ("thumbs.db", "desktop.ini", "__macosx")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One folder: its place below the one that is translated, and the names of its pictures and of its sub-folders."""

    place: Path
    pictures: tuple[str, ...]
    folders: tuple[str, ...]


def listed(top: Path, *, without: Path) -> Iterator[Listed | Failure]:
    """A folder and those below it, in the order of their names.

    Args:
        top: the folder.
        without: a folder that is not searched: that of the results, where it lies within.

    Raises:
        DatasetError: `top` itself cannot be listed.
    """
    seen = {_identity(without)} if without.exists() else set[tuple[int, int]]()
    places = [Path()]
    while places:
        place = places.pop()
        try:
            found = _listed(top, place, seen)
        except OSError as problem:
            yield _unlisted(top, place, problem)
            continue
        if found is not None:
            yield found
            places.extend(place / name for name in reversed(found.folders))


def _listed(top: Path, place: Path, seen: set[tuple[int, int]]) -> Listed | None:
    """One folder; None where it was seen already."""
    identity = _identity(top / place)
    if identity in seen:
        return None
    seen.add(identity)
    entries = _entries(top / place)
    return Listed(
        place=place,
        pictures=tuple(name for name, is_folder in entries if not is_folder and _is_picture(name)),
        folders=tuple(name for name, is_folder in entries if is_folder),
    )


def _unlisted(top: Path, place: Path, problem: OSError) -> Failure:
    message = f"{top / place}: the folder cannot be listed ({problem.strerror}): check its name and that it may be read"
    if place == Path():
        raise DatasetError(message) from problem
    return Failure(path=str(top / place), reason="unreadable", message=message)


def _entries(folder: Path) -> list[tuple[str, bool]]:
    with os.scandir(folder) as entries:
        found = [(entry.name, _is_folder(entry, folder)) for entry in entries]
    return sorted(each for each in found if not each[0].startswith(".") and each[0].lower() not in _LITTER)


def _is_folder(entry: os.DirEntry[str], folder: Path) -> bool:
    try:
        if not entry.is_dir() or not entry.is_symlink():
            return entry.is_dir()
        return not folder.resolve().is_relative_to(Path(entry).resolve())
    except OSError:  # a link that leads to itself
        return False


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in EXTENSIONS
