"""Pictures in folders as a collection: one folder a class, or all in one folder."""

import re
import unicodedata
from pathlib import Path
from typing import Final

import numpy as np

from translate.data.collection import FilePart, Part
from translate.data.folders import SPLIT_WORDS, SPLITS, Listing, holds_pictures, list_folder, subfolders
from translate.data.items import Item, Source
from translate.errors import DatasetError

_DOMAIN_A: Final = re.compile(rf"({SPLIT_WORDS})[ _.-]?a", re.IGNORECASE)
_DOMAIN_B: Final = re.compile(rf"({SPLIT_WORDS})[ _.-]?b", re.IGNORECASE)


def find_files(root: Path) -> tuple[dict[str, Part], tuple[str, ...]] | None:
    """The splits of a folder of pictures, and the names of its classes; None where it has no pictures.

    Classes are the folders with pictures in the training folder, where it has two or more of them and no picture of
    its own: names of digits in the order of the numbers, then the others by alphabet.

    Raises:
        DatasetError: For a folder that cannot be used.
    """
    folders = _split_folders(root)
    train = folders.get("train")
    if train is None or not holds_pictures(train, below=True):
        return None
    names = _class_names(train)
    return {name: _part(folder, root, names) for name, folder in folders.items()}, names


def _split_folders(root: Path) -> dict[str, Path]:
    inner = subfolders(root)
    named = [(SPLITS[path.name.lower()], path) for path in inner if path.name.lower() in SPLITS]
    domain_a = [(SPLITS[match[1].lower()], path) for path in inner if (match := _DOMAIN_A.fullmatch(path.name))]
    if not named and domain_a:
        _refuse_second_domain(root, inner, domain_a[0][1])
    folders: dict[str, Path] = {}
    for split, path in named or domain_a:
        if split in folders:
            raise DatasetError(f"{folders[split]} and {path} both are the {split} folder: rename or remove one")
        folders[split] = path
    return folders or {"train": root}


def _refuse_second_domain(root: Path, inner: list[Path], first: Path) -> None:
    second = next((path for path in inner if _DOMAIN_B.fullmatch(path.name)), None)
    if second is not None:
        raise DatasetError(
            f"{root}: holds two domains, {first.name} and {second.name}, and one is needed: give {first} or {second}"
        )


def _class_names(train: Path) -> tuple[str, ...]:
    if holds_pictures(train, below=False):
        return ()
    names = [path.name for path in subfolders(train) if holds_pictures(path, below=True)]
    return tuple(sorted(names, key=_by_number)) if len(names) > 1 else ()


def _by_number(name: str) -> tuple[bool, int, str]:
    is_number = name.isascii() and name.isdigit()
    return not is_number, int(name) if is_number else 0, name


def _part(folder: Path, root: Path, names: tuple[str, ...]) -> FilePart:
    listing = list_folder(folder, root)
    if not listing.pictures:
        raise DatasetError(f"{folder}: holds no picture: put JPEG, PNG, WebP, TIFF or BMP files there, or remove it")
    if not names or holds_pictures(folder, below=False):
        return FilePart(folder=folder, items=tuple(_items(listing, "")))
    _refuse_strangers(folder, names)
    by_class = {name: _class_items(folder / name, root) for name in names}
    classes = [place for place, found in enumerate(by_class.values()) for _ in found]
    items = tuple(item for found in by_class.values() for item in found)
    return FilePart(folder=folder, items=items, labels=np.array(classes, np.int64))


def _class_items(folder: Path, root: Path) -> list[Item]:
    """The pictures of one class; a held-out split may lack it."""
    return _items(list_folder(folder, root), unicodedata.normalize("NFC", f"{folder.name}/")) if folder.is_dir() else []


def _items(listing: Listing, prefix: str) -> list[Item]:
    """Every file is a sample; where names differ in the extension only, it becomes part of the key."""
    return [
        Item(key=prefix + (key if place == 0 else f"{key}{path.suffix}"), sources=(Source(path=path),))
        for key, paths in listing.pictures.items()
        for place, path in enumerate(paths)
    ]


def _refuse_strangers(folder: Path, names: tuple[str, ...]) -> None:
    there = [path.name for path in subfolders(folder) if holds_pictures(path, below=True)]
    strange = sorted(set(there) - set(names))
    if strange:
        raise DatasetError(
            f"{folder}: the class {strange[0]} is not among the training folder's ({', '.join(names[:10])}): "
            "rename or remove it"
        )
