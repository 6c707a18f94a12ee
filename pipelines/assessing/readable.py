"""Real samples in memory, without the files that cannot be read."""

from collections.abc import Sequence
from functools import partial

from pipelines.evaluating.sets import LeftOut
from pipelines.training.generation.held_out import HeldOut, held_out_of
from translate.card import Picture, Vector
from translate.data.augmentation import Augmentation
from translate.data.collection import FilePart, Part
from translate.data.holdout import hash_of
from translate.data.items import Item
from translate.data.pictures import read_picture
from translate.errors import PictureError

_LISTED = 10


def read_readable(
    part: Part, port: Picture | Vector, size: Augmentation, *, learns_classes: bool, most: int
) -> tuple[HeldOut, tuple[LeftOut, ...]]:
    """As `held_out_of`, with the next file in the place of one that cannot be read; and those files.

    Files are looked at one by one only where one of them turns out bad: that reads them twice.

    Raises:
        DatasetError: No file can be read, or the samples are not what the port says.
    """
    read = partial(held_out_of, port=port, augmentation=size, learns_classes=learns_classes, most=most)
    try:
        return read(part), ()
    except PictureError:
        if not isinstance(part, FilePart):
            raise
    rest, left_out = without_unreadable(part, most)
    return read(rest), left_out


def without_unreadable(part: Part, most: int) -> tuple[Part, tuple[LeftOut, ...]]:
    """At most so many of the samples that can be read, those with the lowest hashes; and the files that cannot."""
    if not isinstance(part, FilePart):
        return part, ()
    good, left_out = _told_apart(part, most)
    return part.take(good), left_out


def note_of(where: str, left_out: Sequence[LeftOut]) -> tuple[str, ...]:
    """A sentence that lists the files; none where nothing was left out."""
    if not left_out:
        return ()
    names = "; ".join(f"{each.message} ({each.reason})" for each in left_out[:_LISTED])
    more = f"; and {len(left_out) - _LISTED} more, all in the JSON file" if len(left_out) > _LISTED else ""
    return (f"Left out of the protocols, since they cannot be read, {len(left_out)} files of {where}: {names}{more}",)


def _told_apart(part: FilePart, most: int) -> tuple[list[int], tuple[LeftOut, ...]]:
    """The places of the first good files, in the order in which samples are chosen; and the bad ones on the way."""
    good: list[int] = []
    left_out: list[LeftOut] = []
    for index in sorted(range(len(part)), key=lambda index: hash_of(part.items[index].key)):
        if len(good) == most:
            break
        problem = _problem(part.items[index])
        if problem is None:
            good.append(index)
        else:
            left_out.append(problem)
    return good, tuple(left_out)


def _problem(item: Item) -> LeftOut | None:
    try:
        for source in item.sources:
            read_picture(source)
    except PictureError as problem:
        return LeftOut(name=item.key, reason=problem.reason, message=str(problem))
    return None
