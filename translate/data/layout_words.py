"""What was found in a data set, as a sentence that people read."""

from collections.abc import Mapping

from translate.data.found import DomainFolder, Found
from translate.data.items import Split

_WORDS = {"train": "training", "validation": "validation", "test": "test"}


def describe(found: Found, splits: Mapping[str, Split]) -> str:
    """Such as "paired by stem: 1548 training pairs in trainA and trainB, 200 test pairs in testA and testB"."""
    counts = ", ".join(_count(found, name, split) for name, split in splits.items())
    return "; ".join([f"{_manner(found)}: {counts}", *_notes(found, splits)])


def _manner(found: Found) -> str:
    if found.kind == "side by side":
        return "side by side" if found.paired else "side by side, used without the pairing"
    if found.kind == "one domain":
        return "one domain"
    return "paired by stem" if found.paired else "unpaired"


def _count(found: Found, name: str, split: Split) -> str:
    if found.kind == "side by side" or split.paired:
        names = _listed([_name(found, folder) for folder in found.of(name)])
        return f"{_number(len(split), f'{_WORDS[name]} pair')} in {names}"
    return " and ".join(
        f"{_number(len(items), f'{_WORDS[name]} picture')} in "
        + " with ".join(_name(found, folder) for folder in found.of(name, domain))
        for domain, items in split.domains.items()
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _name(found: Found, folder: DomainFolder) -> str:
    path = folder.listing.folder
    return path.relative_to(found.root).as_posix() if path != found.root else path.resolve().name


def _notes(found: Found, splits: Mapping[str, Split]) -> list[str]:
    notes: list[str] = []
    left_out = _left_out(found, splits)
    if left_out:
        notes.append(f"{_number(left_out, 'picture')} without a partner left out")
    if found.kind == "side by side":
        notes.append(f"the input is the {found.half_of('a')} half")
    elif found.kind == "two folders" and found.direction == "BtoA":
        notes.append("direction BtoA: what lies in B is the input")
    if found.pairing_is_unclear:
        notes.append(
            f"{found.agreement:.0%} of the names have a partner: if these are pairs, say that the set is paired"
        )
    if found.unused:
        notes.append("not used: " + ", ".join(path.relative_to(found.root).as_posix() for path in found.unused))
    if found.looks_doubled:
        notes.append("the pictures look like pairs side by side: if they are, say that the set is paired")
    return notes


def _left_out(found: Found, splits: Mapping[str, Split]) -> int:
    if found.kind != "two folders":
        return 0
    there = sum(len(folder.listing.pictures) for folder in found.folders)
    used = sum(len(item.sources) for split in splits.values() for items in split.domains.values() for item in items)
    return there - used
