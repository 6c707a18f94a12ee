"""What a data set is made of, as plain data: no picture is opened here, and no torch is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Half = Literal["whole", "left", "right"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the pixels of one port come from: a file, or the left or right half of a side-by-side file."""

    path: Path
    half: Half = "whole"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One sample of one domain: as many sources as the domain has ports (two pictures in one sample: two).

    `key` is the path below the domain's folder without its extension; it pairs, names outputs, and is hashed.
    """

    key: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class Split:
    """The samples of one split, by domain ("a" and "b"; a lone domain is "a").

    Where `paired`, all domains have equal length and the i-th items of all domains share a key.
    """

    domains: Mapping[str, tuple[Item, ...]]
    paired: bool

    def __len__(self) -> int:
        """The length of the longest domain: an epoch sees each of its items once."""
        return max((len(items) for items in self.domains.values()), default=0)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A folder as it was understood: its splits by name ("train", "validation", "test"), and how to say so."""

    root: Path
    splits: Mapping[str, Split]
    description: str
