"""What the results of a folder are called.

A picture that has the right ending keeps its name; otherwise the new ending is added and the old one stays, since
a.jpg and a.png are two pictures: a.jpg becomes a.jpg.png. Names are kept byte for byte, so those that differ in the
case or in the Unicode form of a letter stay two (where the disk tells them apart).

Where a name would be longer than 255 bytes, or is taken (a.jpg beside a picture that is called a.jpg.png), it is cut,
and marked with eight hexadecimal digits of its hash.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from translate.data.headers import EXTENSIONS

_MOST_BYTES: Final = 255

Names = tuple[str, ...]
"""The names of one picture's results, one an output of the model; those after the first have the port's in theirs."""


def result_names(
    pictures: Sequence[str], *, taken: Iterable[str], others: Sequence[str], ending: str
) -> Mapping[str, Names]:
    """The names of all results of one folder, by the names of its pictures.

    Args:
        pictures: the names in the folder.
        taken: names that are not to be had: those of sub-folders.
        others: the ports of the model's outputs after the first.
        ending: the ending of the results, as `.png`.
    """
    bases = {name: _base(name, ending) for name in pictures}
    gone = {name for name, base in bases.items() if name == base} | set(taken)
    made = dict[str, Names]()
    for name, base in bases.items():
        gone.discard(name)  # a picture may have its own name
        made[name] = _free(base, others, gone)
        gone.update((name, *made[name]))
    return made


def _base(name: str, ending: str) -> str:
    stays = EXTENSIONS.get(Path(name).suffix.lower()) == EXTENSIONS[ending]
    return name if stays else f"{name}{ending}"


def _free(base: str, others: Sequence[str], gone: set[str]) -> Names:
    names = _names(base, others)
    while not gone.isdisjoint(names) or max(len(os.fsencode(name)) for name in names) > _MOST_BYTES:
        base = _marked(base, others)
        names = _names(base, others)
    return names


def _names(base: str, others: Sequence[str]) -> Names:
    stem, ending = Path(base).stem, Path(base).suffix
    return (base, *(f"{stem}.{port}{ending}" for port in others))


def _marked(base: str, others: Sequence[str]) -> str:
    stem, ending = Path(base).stem, Path(base).suffix
    mark = f"~{hashlib.sha256(os.fsencode(base)).hexdigest()[:8]}"
    after = max(len(os.fsencode(f"{mark}.{port}{ending}")) for port in (*others, ""))
    cut = os.fsencode(stem)[: _MOST_BYTES - after].decode(errors="ignore")
    return f"{cut}{mark}{ending}"
