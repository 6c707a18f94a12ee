"""A folder of photos, whatever albums they lie in: one domain, from which inputs are made."""

from pathlib import Path
from typing import Final

from translate.data.folders import holds_pictures, list_folder, subfolders
from translate.data.found import DomainFolder, Found
from translate.data.layout_finders import Place, Places, find_photo_places
from translate.errors import DatasetError

DOMAIN: Final = "b"
TRAIN: Final = "train"


def scan_photos(root: Path) -> Found:
    """List the photos below `root`, as domain b: folders in folders are albums, and say nothing.

    Where `root` holds folders named train, validation or test, each of them is a split, and what lies beside them is
    not used; else all is for training.

    Raises:
        DatasetError: for a folder that is not there, holds two domains (trainA and trainB), or nothing to train on.
    """
    places = find_photo_places(root)
    _refuse_unusable(root, places)
    return Found(
        root=root,
        kind=places.kind,
        direction="AtoB",
        paired=False,
        agreement=0.0,
        folders=tuple(_folder(place, root) for place in places.folders),
        ports={DOMAIN: 1},
        told=True,
        unused=_unused(root, places),
    )


def _refuse_unusable(root: Path, places: Places) -> None:
    names = ", ".join(place.path.relative_to(root).as_posix() for place in places.folders)
    if places.kind != "one domain":
        raise DatasetError(
            f"{root}: this method makes its inputs from photos itself and wants one folder of them (in it train, "
            f"validation and test, if you like); found two domains: {names}. Point --data at the folder of the photos"
        )
    if all(place.split != TRAIN for place in places.folders):
        raise DatasetError(f"{root}: {names} is there, but no train: put the photos to learn from there")


def _unused(root: Path, places: Places) -> tuple[Path, ...]:
    """Albums beside the folders of splits."""
    taken = {place.path for place in places.folders}
    beside = [] if root in taken else [path for path in subfolders(root) if path not in taken]
    return tuple(path for path in beside if holds_pictures(path, below=True))


def _folder(place: Place, root: Path) -> DomainFolder:
    return DomainFolder(split=place.split, domain=DOMAIN, port=0, listing=list_folder(place.path, root))
