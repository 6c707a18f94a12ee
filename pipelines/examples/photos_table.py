"""The table of the photos: which side each is on, whose it is, and the file it comes from."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import cache
from importlib import resources
from typing import Literal

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One row of `photos.tsv`."""

    photo: str
    """Its name, and that of its folder or file."""
    split: Part
    package: str
    """Debian's or PyPI's package that it is in."""
    path: str
    """Inside the package; what follows a "!" is inside that Qt resource file."""
    author: str
    licence: str
    """As the package states it, by its usual short name."""
    source: str
    """Where the package has it from; empty where it does not say."""
    digest: str
    """The first 16 hexadecimal digits of the SHA-256 of the file."""

    def is_file(self, data: bytes) -> bool:
        """Whether these bytes are the file that the table means."""
        return hashlib.sha256(data).hexdigest().startswith(self.digest)


@cache
def listed_photos() -> tuple[Photo, ...]:
    """All photos: those to train on, then the validation's, then the test's, each by name."""
    table = resources.files("pipelines.examples").joinpath("photos.tsv").read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader((line for line in table if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(Photo(**row) for row in rows)  # pyright: ignore[reportArgumentType]


def fingerprint(photos: Sequence[Photo]) -> str:
    """The first digits of a hash of these rows: which photos, and which split."""
    return hashlib.sha256(attribution_table(photos).encode()).hexdigest()[:12]


def attribution_table(photos: Sequence[Photo]) -> str:
    """What has to be said of these photos wherever they, or parts of them, are shown: tab-separated, with a header."""
    names = [field.name for field in fields(Photo)]
    lines = ["\t".join(names), *("\t".join(astuple(photo)) for photo in photos)]
    return "\n".join(lines) + "\n"


def licences(photos: Sequence[Photo]) -> tuple[str, ...]:
    """The licences that occur, in alphabetical order."""
    return tuple(sorted({photo.licence for photo in photos}))
