"""Find the layout of a data set without being told, and say what was found.

`find_layout` gives what trains; `scan` gives all that lies there, for the dataset doctor. Pictures are paired by key
(path below the folder, without extension), never by order.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Final

from translate.data.folders import SPLITS, list_folder
from translate.data.found import PAIRED_FROM, UNPAIRED_UP_TO, Direction, DomainFolder, Found
from translate.data.items import Item, Layout, Source, Split
from translate.data.layout_finders import (
    ACCEPTED,
    Place,
    Side,
    cannot_be_side_by_side,
    find_places,
    looks_side_by_side,
)
from translate.data.layout_words import describe
from translate.errors import DatasetError

_TURNED: Final[Mapping[Side, Side]] = {"a": "b", "b": "a", "both": "both"}


def find_layout(
    root: Path,
    *,
    direction: Direction = "AtoB",
    a_ports: int = 1,
    b_ports: int = 1,
    paired: bool | None = None,
) -> Layout:
    """Find out how the pictures below `root` are laid out.

    Pictures without a partner are left out of paired splits (the description counts them; the doctor names them). Of
    files that differ in the extension only, the first in alphabetical order is taken. A test or validation split may
    lack a domain, and then has no such entry. Where it was not said whether there are pairs, and training names have
    nothing in common, but those of a held-out split are the same in both domains, that split alone is paired: a hidden
    truth.

    Args:
        root: The data set's folder; `translate.data.layout_finders` lists what is recognised.
        direction: BtoA swaps the domains: what lies in B becomes "a", the input.
        a_ports: Pictures in one sample of "a" (counted after `direction`): `trainA`, `trainA2`, ...
        b_ports: The same of "b".
        paired: True: pair by stem, whatever the share of partners (folders of one domain: side by side). False: no
            pairs, even where there are some. None: find out.

    Raises:
        DatasetError: For a folder that cannot be understood or used; the message says what was found and what would do.
    """
    return layout_of(scan(root, direction=direction, a_ports=a_ports, b_ports=b_ports, paired=paired))


def scan(
    root: Path,
    *,
    direction: Direction = "AtoB",
    a_ports: int = 1,
    b_ports: int = 1,
    paired: bool | None = None,
) -> Found:
    """List all that lies in a data set, usable or not. Arguments and errors as `find_layout`, which refuses more."""
    places = find_places(root)
    turn = direction == "BtoA" and places.kind != "one domain"
    ports = {"a": a_ports, "b": b_ports}
    domains: list[Side] = [_TURNED[place.side] if turn else place.side for place in places.folders]
    placed = list(zip(places.folders, domains, strict=True))
    found = Found(
        root=root,
        kind=places.kind,
        direction=direction,
        paired=False,
        agreement=0.0,
        folders=tuple(_listed(place, domain, root) for place, domain in placed if place.port < ports[domain]),
        ports=ports,
        told=paired is not None,
        unused=tuple(place.path for place, domain in placed if place.port >= ports[domain]),
    )
    return _with_pairing(found, paired)


def _listed(place: Place, domain: Side, root: Path) -> DomainFolder:
    return DomainFolder(split=place.split, domain=domain, port=place.port, listing=list_folder(place.path, root))


def layout_of(found: Found) -> Layout:
    """The layout that trains, from all that was found. Raises DatasetError where it cannot be used."""
    _refuse_unusable(found)
    splits = {name: _split(found, name) for name in found.splits}
    for name, split in splits.items():
        if len(split) == 0:
            folders = " and ".join(folder.listing.folder.name for folder in found.of(name))
            raise DatasetError(
                f"{found.root}: nothing in {folders} has a partner of the same name: pairs need equal names "
                f"(extensions may differ); without pairs: pixturn train cyclegan --data {quote(str(found.root))}"
            )
    return Layout(root=found.root, splits=splits, description=describe(found, splits))


def _with_pairing(found: Found, paired: bool | None) -> Found:
    if found.kind == "one domain":
        return _maybe_doubled(found, paired)
    agreement = _agreement(found)
    return replace(found, agreement=agreement, paired=agreement >= PAIRED_FROM if paired is None else paired)


def _maybe_doubled(found: Found, paired: bool | None) -> Found:
    """Split folders of two-to-one pictures are side by side; a lone folder of them only if the caller says `paired`."""
    first = next(iter(found.of(found.splits[0])))
    doubled = paired is True or looks_side_by_side(first.listing.files)
    lone = first.listing.folder == found.root or first.listing.folder.name.lower() not in SPLITS
    if not doubled or (lone and not paired):
        return replace(found, looks_doubled=doubled)
    folders = tuple(replace(folder, domain="both") for folder in found.folders)
    return replace(found, kind="side by side", folders=folders, paired=paired is not False, agreement=1.0)


def _agreement(found: Found) -> float:
    """Of the first split that has both domains."""
    return next((share for split in found.splits if (share := _agreement_of(found, split)) is not None), 0.0)


def _agreement_of(found: Found, split: str) -> float | None:
    """Common keys / keys of the larger domain; None where a domain is missing."""
    a, b = found.of(split, "a"), found.of(split, "b")
    if not a or not b:
        return None
    keys_a, keys_b = a[0].listing.pictures.keys(), b[0].listing.pictures.keys()
    return len(keys_a & keys_b) / max(len(keys_a), len(keys_b), 1)


def _holds_truth(found: Found, split: str) -> bool:
    """Whether a held-out split is paired though training surely is not (and is not just numbered alike)."""
    is_unpaired = not found.told and found.agreement <= UNPAIRED_UP_TO
    return is_unpaired and split != "train" and _agreement_of(found, split) == 1.0


def _refuse_unusable(found: Found) -> None:
    for folder in found.folders:
        if not folder.listing.pictures:
            raise DatasetError(
                f"{folder.listing.folder}: holds no picture: put JPEG, PNG, WebP, TIFF or BMP files there, or remove it"
            )
    if found.kind == "side by side" and max(found.ports.values()) > 1:
        raise DatasetError(f"{found.root}: side-by-side pictures hold one picture of a domain: use {ACCEPTED}")
    if found.kind == "side by side" and not found.looks_doubled:
        _refuse_halving(found)
    for split in found.splits:
        _refuse_missing_folders(found, split)


def _refuse_halving(found: Found) -> None:
    """Pictures that are said to be pairs, and are not even wider than high, are those of one domain."""
    listing = found.of(found.splits[0])[0].listing
    size = cannot_be_side_by_side(listing.files)
    if size is not None:
        raise DatasetError(
            f"{listing.folder}: one folder of pictures that are not twice as wide as high ({size}): point --data at "
            "the folder that holds trainA and trainB, or put A and B side by side"
        )


def _refuse_missing_folders(found: Found, split: str) -> None:
    if found.kind != "two folders":
        return
    for domain in ("a", "b"):
        there = {folder.port for folder in found.of(split, domain)}
        missing = sorted(set(range(found.ports[domain])) - there)
        if missing and (there or split == "train"):
            letter = domain.upper() if found.direction == "AtoB" else {"a": "B", "b": "A"}[domain]
            names = ", ".join(f"{split}{letter}{port + 1 if port else ''}" for port in missing)
            have = ", ".join(folder.listing.folder.name for folder in found.of(split))
            raise DatasetError(f"{found.root}: {have} is there, but not {names}: add it, or use {ACCEPTED}")


def _split(found: Found, name: str) -> Split:
    if found.kind == "side by side":
        return _doubled_split(found, name)
    by_domain = {domain: found.of(name, domain) for domain in ("a", "b") if found.of(name, domain)}
    paired = (found.paired or _holds_truth(found, name)) and len(by_domain) == 2
    common = _common_keys(found.of(name)) if paired else None
    domains = {domain: _items(folders, common) for domain, folders in by_domain.items()}
    return Split(domains=domains, paired=paired)


def _doubled_split(found: Found, name: str) -> Split:
    pictures = found.of(name)[0].listing.pictures
    domains = {
        domain: tuple(
            Item(key=key, sources=(Source(path=paths[0], half=found.half_of(domain)),))
            for key, paths in pictures.items()
        )
        for domain in ("a", "b")
    }
    return Split(domains=domains, paired=found.paired)


def _common_keys(folders: tuple[DomainFolder, ...]) -> list[str]:
    return sorted(set[str].intersection(*(set(folder.listing.pictures) for folder in folders)))


def _items(folders: tuple[DomainFolder, ...], keys: list[str] | None) -> tuple[Item, ...]:
    return tuple(
        Item(key=key, sources=tuple(Source(path=folder.listing.pictures[key][0]) for folder in folders))
        for key in (_common_keys(folders) if keys is None else keys)
    )
