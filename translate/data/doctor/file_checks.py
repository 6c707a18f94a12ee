"""Checks of files one by one: can they be read, and are they what their names say."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from translate.data.doctor.diagnosis import Code, Problem
from translate.data.doctor.facts import Facts
from translate.data.doctor.survey import Survey
from translate.data.folders import Listing
from translate.data.headers import EXTENSIONS
from translate.data.refusals import REMEDY, Reason

CODES: Final[Mapping[Reason, Code]] = {
    "zero_bytes": "zero_bytes",
    "not_a_picture": "not_a_picture",
    "wrong_format": "not_a_picture",
    "truncated": "truncated",
    "damaged": "damaged",
    "too_many_bytes": "too_many_pixels",
    "too_many_pixels": "too_many_pixels",
    "several_frames": "several_frames",
    "unreadable": "unreadable",
    "unsupported_mode": "unsupported_mode",
    "odd_width": "odd_width",
    "label_out_of_range": "label_out_of_range",
    "lossy_label_map": "lossy_label_map",
    "out_of_memory": "out_of_memory",
}
"""What the doctor calls each reason for which a picture is refused."""


def check_files(survey: Survey) -> Iterator[Problem]:
    """Unreadable and mislabelled files, links, files that are not read, empty folders."""
    for path, facts in survey.facts.items():
        yield from check_file(path, facts)
    for folder in survey.found.folders:
        yield from check_listing(folder.listing)


def check_file(path: Path, facts: Facts) -> Iterator[Problem]:
    """A file that cannot be read, or is of another format than its name says."""
    yield from _refused(path, facts)
    yield from _misnamed(path, facts)


def _refused(path: Path, facts: Facts) -> Iterator[Problem]:
    if facts.reason:
        # What is remembered of an earlier look may spell the path in another way, and the fix is told beside it.
        message = facts.message.partition(f"{path.name}: ")[2] or facts.message
        message = message.removesuffix(f": {REMEDY}")
        yield Problem(code=CODES[facts.reason], severity="error", paths=(path,), message=message)


def _misnamed(path: Path, facts: Facts) -> Iterator[Problem]:
    stated = EXTENSIONS[path.suffix.lower()]
    if facts.probe and facts.probe.format != stated:
        message = f"its content is {facts.probe.format}, its name says {stated}"
        yield Problem(code="other_format", severity="warning", paths=(path,), message=message)


def check_listing(listing: Listing) -> Iterator[Problem]:
    """Links, files that are not read, an empty folder."""
    for path in listing.dangling:
        message = f"the link leads to {path.readlink()}, where there is nothing"
        yield Problem(code="link", severity="error", paths=(path,), message=message)
    for path in listing.outside:
        message = f"the link leaves the data set, to {path.resolve()}; it is followed"
        yield Problem(code="link", severity="warning", paths=(path,), message=message)
    for path in listing.unread:
        message = f"{path.suffix or 'a file without an extension'} is not read"
        yield Problem(code="unread_extension", severity="warning", paths=(path,), message=message)
    if not listing.pictures:
        message = "holds no picture"
        yield Problem(code="empty_folder", severity="error", paths=(listing.folder,), message=message)
