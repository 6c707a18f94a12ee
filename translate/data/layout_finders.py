"""Which folder holds which split and which domain, from the names that people already use.

Tried in this order; the first that fits is taken:

1. Named: `trainA`, `train_A`, `train/A` or `A/train`, in upper or lower case, for train (training), val (valid,
   validation) and test (testing); further pictures of one sample in `trainA2`, `trainA3`, ...
2. Split folders `train`, `val`, `test` with pictures in them: side by side, or of one domain. The pictures are side by
   side where at least 90 % of up to 32 of them, taken evenly, are exactly twice as wide as high (two squares: what
   pix2pix's sets are), or where the caller says that the set is paired; a panorama is then cut in two, so it is said
   aloud.
3. Two folders of any names, within each split folder, or holding split folders, or plain: the first in alphabetical
   order is A. (A folder without pictures does not count, unless it is one of just two.)
4. One folder of pictures: a single domain, all of it for training.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from translate.data.folders import SPLIT_WORDS, SPLITS, holds_pictures, subfolders
from translate.data.pictures import probe
from translate.errors import DatasetError, PictureError

Kind = Literal["two folders", "side by side", "one domain"]
Side = Literal["a", "b", "both"]

ACCEPTED: Final = (
    "trainA and trainB (also train_A, train/A, A/train; testA, valA, ...), train/ val/ test/ with pictures of A and B "
    "side by side, two folders of pictures, or one folder of pictures"
)
_SPLIT_AND_DOMAIN: Final = re.compile(rf"({SPLIT_WORDS})[ _.-]?([ab])([1-9]?)", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"(?:domain[ _.-]?)?([ab])([1-9]?)", re.IGNORECASE)
_SAMPLE_SIZE: Final = 32
_MOST: Final = 0.9


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder and its part: `side` as the folder is named, `port` 0 for the first picture of a sample."""

    path: Path
    split: str
    side: Side
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class Places:
    """All folders of a data set, and how they hold their domains."""

    kind: Kind
    folders: tuple[Place, ...]


def find_places(root: Path) -> Places:
    """Recognise the folders of a data set; what they hold is not judged here.

    Raises:
        DatasetError: Where nothing is recognised, or two folders claim the same part.
    """
    _require_folder(root, ACCEPTED)
    finders: tuple[Callable[[Path], Places | None], ...] = (_named, _split_folders, _two_folders, _one_folder)
    for finder in finders:
        places = finder(root)
        if places is not None:
            _refuse_double(places)
            return places
    raise DatasetError(f"{root}: found {_listed(root)}, which is not a known layout: use {ACCEPTED}")


def find_photo_places(root: Path) -> Places:
    """As `find_places`, for photos alone: folders other than those of splits are albums.

    Gives two domains only where the folders' names say so. Raises DatasetError as `find_places`.
    """
    _require_folder(root, "the photos")
    splits = [folder for folder in subfolders(root) if _split_of(folder)]
    by_split = [Place(path=folder, split=SPLITS[folder.name.lower()], side="b") for folder in splits]
    all_of_it = [Place(path=root, split="train", side="b")]
    places = _named(root) or Places(kind="one domain", folders=tuple(by_split or all_of_it))
    _refuse_double(places)
    return places


def _require_folder(root: Path, holding: str) -> None:
    if not root.is_dir():
        raise DatasetError(f"{root}: there is no such folder: give the folder that holds {holding}")


def looks_side_by_side(files: tuple[Path, ...]) -> bool:
    """Whether most of the pictures, of which up to 32 are looked at, are exactly twice as wide as high."""
    return _are_most(_sizes_px(files), lambda width, height: width == 2 * height)


def cannot_be_side_by_side(files: tuple[Path, ...]) -> str | None:
    """Where most of the pictures, of which up to 32 are looked at, are not even wider than high: the size of one."""
    sizes = _sizes_px(files)
    if not _are_most(sizes, lambda width, height: width <= height):
        return None
    return next(f"{width} x {height}" for width, height in sizes if width <= height)


def _are_most(sizes: list[tuple[int, int]], verdict: Callable[[int, int], bool]) -> bool:
    return bool(sizes) and sum(verdict(*size) for size in sizes) >= _MOST * len(sizes)


def _sizes_px(files: tuple[Path, ...]) -> list[tuple[int, int]]:
    """Width and height of some, without those that cannot be read."""
    step = max(1, len(files) // _SAMPLE_SIZE)
    return [size for path in files[::step][:_SAMPLE_SIZE] if (size := _size_px(path)) is not None]


def _size_px(path: Path) -> tuple[int, int] | None:
    try:
        header = probe(path)
    except PictureError:
        return None
    return header.width_px, header.height_px


def _named(root: Path) -> Places | None:
    places = [place for folder in subfolders(root) for place in _named_in(folder)]
    return Places(kind="two folders", folders=tuple(places)) if places else None


def _named_in(folder: Path) -> list[Place]:
    if match := _SPLIT_AND_DOMAIN.fullmatch(folder.name):
        return [_place(folder, SPLITS[match[1].lower()], match[2], match[3])]
    places: list[Place] = []
    for inner in subfolders(folder):
        split = _split_of(folder) or _split_of(inner)
        match = _DOMAIN.fullmatch(inner.name if _split_of(folder) else folder.name)
        if split and match:
            places.append(_place(inner, split, match[1], match[2]))
    return places


def _place(path: Path, split: str, letter: str, number: str) -> Place:
    side: Side = "a" if letter.lower() == "a" else "b"
    return Place(path=path, split=split, side=side, port=int(number or 1) - 1)


def _split_of(folder: Path) -> str | None:
    return SPLITS.get(folder.name.lower())


def _split_folders(root: Path) -> Places | None:
    folders = [folder for folder in subfolders(root) if _split_of(folder)]
    if not folders:
        return None
    if not any(holds_pictures(folder, below=False) for folder in folders):
        return _two_in_each(folders)
    places = tuple(Place(path=folder, split=SPLITS[folder.name.lower()], side="a") for folder in folders)
    return Places(kind="one domain", folders=places)


def _two_in_each(splits: list[Path]) -> Places | None:
    names = sorted({inner.name for split in splits for inner in subfolders(split)})
    if len(names) != 2:
        return None
    places = [
        Place(path=split / name, split=SPLITS[split.name.lower()], side=side)
        for split in splits
        for name, side in _sides(names)
        if (split / name).is_dir()
    ]
    return Places(kind="two folders", folders=tuple(places))


def _sides(names: list[str]) -> tuple[tuple[str, Side], tuple[str, Side]]:
    return (names[0], "a"), (names[1], "b")


def _two_folders(root: Path) -> Places | None:
    if holds_pictures(root, below=False):
        return None
    folders = subfolders(root)
    full = [folder for folder in folders if holds_pictures(folder, below=True)]
    if len(folders) == 2 and full:
        full = folders
    if len(full) != 2:
        return None
    by_name = {folder.name: folder for folder in full}
    places = [place for name, side in _sides(sorted(by_name)) for place in _splits_within(by_name[name], side)]
    return Places(kind="two folders", folders=tuple(places))


def _splits_within(folder: Path, side: Side) -> list[Place]:
    inner = [
        Place(path=path, split=split, side=side)
        for path in subfolders(folder)
        if (split := _split_of(path)) is not None
    ]
    return inner or [Place(path=folder, split="train", side=side)]


def _one_folder(root: Path) -> Places | None:
    full = [folder for folder in subfolders(root) if holds_pictures(folder, below=True)]
    if holds_pictures(root, below=False):
        path = root
    elif len(full) == 1:
        path = full[0]
    else:
        return None
    return Places(kind="one domain", folders=(Place(path=path, split="train", side="a"),))


def _refuse_double(places: Places) -> None:
    taken: dict[tuple[str, Side, int], Path] = {}
    for place in places.folders:
        part = (place.split, place.side, place.port)
        if part in taken:
            raise DatasetError(
                f"{taken[part]} and {place.path} both are the {place.split} folder of domain {place.side.upper()}: "
                "rename or remove one"
            )
        taken[part] = place.path


def _listed(root: Path) -> str:
    names = [f"{folder.name}/" for folder in subfolders(root)]
    files = sum(1 for path in root.iterdir() if path.is_file())
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"{'no folders' if not names else 'the folders ' + shown} and {files} files that are not pictures"
