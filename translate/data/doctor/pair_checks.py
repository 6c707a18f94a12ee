"""Checks of pairs: partners and what they have in common."""

from collections.abc import Iterator

from translate.data.doctor.diagnosis import Problem
from translate.data.doctor.survey import Seen, Survey
from translate.data.found import DomainFolder, Found


def check_pairs(survey: Survey) -> Iterator[Problem]:
    """Missing partners, names that differ in case, several files of one name, sizes and rotations within a sample."""
    for group in _groups(survey.found):
        yield from _partners(group)
        yield from _samples(survey, group)
    for folder in survey.found.folders:
        yield from _several_files(folder)
    yield from _unclear_pairing(survey.found)


def _groups(found: Found) -> list[tuple[DomainFolder, ...]]:
    """Folders that must hold the same keys: all of a paired split; else all ports of one domain."""
    if found.kind == "side by side":
        return []
    groups: list[tuple[DomainFolder, ...]] = []
    for split in found.splits:
        domains = [found.of(split, "a"), found.of(split, "b")]
        groups += [tuple(domains[0] + domains[1])] if found.paired and all(domains) else domains
    return [group for group in groups if len(group) > 1 and all(folder.listing.pictures for folder in group)]


def _partners(group: tuple[DomainFolder, ...]) -> Iterator[Problem]:
    complete = set[str].intersection(*(set(folder.listing.pictures) for folder in group))
    if not complete and not _agree_but_for_case(group):
        return  # these are no pairs at all, which the layout's refusal says once
    spellings: dict[str, set[str]] = {}
    for folder in group:
        for key in folder.listing.pictures.keys() - complete:
            spellings.setdefault(key.casefold(), set()).add(key)
    for keys in (spellings[name] for name in sorted(spellings)):
        yield _different_case(group, keys) if len(keys) > 1 else _missing(group, *keys)


def _agree_but_for_case(group: tuple[DomainFolder, ...]) -> bool:
    return bool(set[str].intersection(*({key.casefold() for key in folder.listing.pictures} for folder in group)))


def _different_case(group: tuple[DomainFolder, ...], keys: set[str]) -> Problem:
    files = [path for folder in group for key in sorted(keys) for path in folder.listing.pictures.get(key, ())]
    names = " and ".join(f"{path.parent.name}/{path.name}" for path in files)
    return Problem(
        code="partner_case", severity="error", paths=tuple(files), message=f"{names} differ in case: no pair to us"
    )


def _missing(group: tuple[DomainFolder, ...], key: str) -> Problem:
    files = tuple(path for folder in group for path in folder.listing.pictures.get(key, ()))
    empty = [folder.listing.folder.name for folder in group if key not in folder.listing.pictures]
    message = f"there is no {key} in {' nor in '.join(empty)}"
    return Problem(code="missing_partner", severity="error", paths=files, message=message)


def _several_files(folder: DomainFolder) -> Iterator[Problem]:
    for paths in folder.listing.pictures.values():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            yield Problem(code="two_extensions", severity="error", paths=paths, message=f"{names} have one name")


def _samples(survey: Survey, group: tuple[DomainFolder, ...]) -> Iterator[Problem]:
    samples: dict[str, list[Seen]] = {}
    folders = {folder.listing.folder for folder in group}
    for seen in survey.seen:
        if seen.folder.listing.folder in folders and seen.content is not None:
            samples.setdefault(seen.key, []).append(seen)
    for sample in samples.values():
        yield from _different_sizes(sample)
        yield from _different_rotations(sample)


def _different_sizes(sample: list[Seen]) -> Iterator[Problem]:
    sizes = {(one.content.width_px, one.content.height_px) for one in sample if one.content}
    if len(sizes) > 1:
        message = " and ".join(f"{width} x {height}" for width, height in sorted(sizes))
        yield Problem(code="pair_sizes", severity="error", paths=tuple(s.path for s in sample), message=message)


def _different_rotations(sample: list[Seen]) -> Iterator[Problem]:
    rotated = [one for one in sample if one.facts.probe and one.facts.probe.orientation != 1]
    if rotated and len(rotated) < len(sample):
        message = f"only {', '.join(f'{one.path.parent.name}/{one.path.name}' for one in rotated)} is EXIF-rotated"
        paths = tuple(one.path for one in sample)
        yield Problem(code="pair_rotation", severity="error", paths=paths, message=message)


def _unclear_pairing(found: Found) -> Iterator[Problem]:
    if found.pairing_is_unclear:
        message = f"{found.agreement:.0%} of the names in A and B are equal; taken as not paired"
        yield Problem(code="pairing_unclear", severity="warning", paths=(found.root,), message=message)
    if found.looks_doubled:
        message = "the pictures look like two side by side; taken as single ones"
        yield Problem(code="pairing_unclear", severity="warning", paths=(found.root,), message=message)
