"""All that lies in a data set: what layouts are made of, and what the dataset doctor looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from translate.data.folders import Listing
from translate.data.items import Half
from translate.data.layout_finders import Kind, Side

Direction = Literal["AtoB", "BtoA"]

PAIRED_FROM: Final = 0.9
"""The share of names in common (of the larger domain) from which domains are taken for pairs; below, for unpaired."""
UNPAIRED_UP_TO: Final = 0.1
"""The share up to which domains are surely no pairs; above it, it is worth a word."""

_SPLIT_ORDER: Final = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class DomainFolder:
    """A folder of one split: its domain (after `direction`; "both" where side by side), its port, and what it holds."""

    split: str
    domain: Side
    port: int
    listing: Listing


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that lies in a data set, whether it can be used or not.

    `told`: the caller said whether it is paired. `agreement` is the share of stems that the domains have in common.
    `unused` are folders of further pictures of a sample that the ports do not ask for. `looks_doubled`: pictures of one
    domain that look like two side by side.
    """

    root: Path
    kind: Kind
    direction: Direction
    paired: bool
    agreement: float
    folders: tuple[DomainFolder, ...]
    ports: Mapping[str, int]
    told: bool = False
    unused: tuple[Path, ...] = ()
    looks_doubled: bool = False

    @property
    def pairing_is_unclear(self) -> bool:
        """Whether the names leave open if these are pairs, and it was not said either."""
        return not self.told and self.kind == "two folders" and UNPAIRED_UP_TO < self.agreement < PAIRED_FROM

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have a folder: train, validation, test, as far as they are there."""
        return tuple(split for split in _SPLIT_ORDER if any(folder.split == split for folder in self.folders))

    def of(self, split: str, domain: str | None = None) -> tuple[DomainFolder, ...]:
        """The folders of a split, or of one domain of it, by port."""
        chosen = [f for f in self.folders if f.split == split and domain in (None, f.domain)]
        return tuple(sorted(chosen, key=lambda folder: (folder.domain, folder.port)))

    def half_of(self, domain: str) -> Half:
        """Where a domain is in a side-by-side picture: A is left, and so is "a" unless the direction is BtoA."""
        return "left" if (domain == "a") == (self.direction == "AtoB") else "right"
