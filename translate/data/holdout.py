"""A validation split held out from the training pictures, the same on every machine and in every run."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from translate.data.items import Layout, Split
from translate.errors import ConfigurationError

_SALT: Final = b"pixturn validation split\n"
_RANGE: Final = 2**64


def hold_out(layout: Layout, fraction: float, most: int) -> Layout:
    """Split a validation set from the training pictures, unless the layout has one.

    A picture is held out where SHA-256 of its key, as a fraction of its range, is below `fraction`, so that adding
    pictures moves none of the others. Where that holds out more than `most`, the lowest hashes stay; where it would
    hold out nothing, the lowest hash is taken; one picture is always left to train on. Both halves of a pair go
    together; without pairs each domain is split on its own. The test split is never touched.

    Args:
        layout: What was found.
        fraction: Of the training pictures, 0 to below 1; 0 holds out nothing.
        most: Pictures (pairs; of each domain) at most.

    Raises:
        ConfigurationError: For a fraction or a count out of range.
    """
    _require_range(fraction, most)
    train = layout.splits.get("train")
    if train is None or "validation" in layout.splits or fraction == 0 or most == 0:
        return layout
    held = {
        domain: held_out_keys((item.key for item in items), fraction, most) for domain, items in train.domains.items()
    }
    if not any(held.values()):
        return layout
    splits = {
        "train": _chosen(train, held, inside=False),
        "validation": _chosen(train, held, inside=True),
        **{name: split for name, split in layout.splits.items() if name != "train"},
    }
    count = len(splits["validation"])
    noun = "pairs" if train.paired else "pictures" if len(train.domains) == 1 else "pictures of a domain"
    words = f"{layout.description}; of the training {noun}, {count} held out for validation"
    return replace(layout, splits=splits, description=words)


def hash_of(key: str) -> float:
    """A key's place in [0, 1): the first 64 bits of its salted SHA-256."""
    return int.from_bytes(hashlib.sha256(_SALT + key.encode()).digest()[:8], "big") / _RANGE


def held_out_keys(keys: Iterable[str], fraction: float, most: int) -> frozenset[str]:
    """Those of the training keys that are held out, by the rule of `hold_out`; none for `fraction` or `most` 0.

    Raises:
        ConfigurationError: For a fraction or a count out of range.
    """
    _require_range(fraction, most)
    if fraction == 0 or most == 0:
        return frozenset()
    ranked = sorted((hash_of(key), key) for key in keys)
    below = [key for value, key in ranked if value < fraction]
    chosen = below or [key for _, key in ranked[:1]]
    return frozenset(chosen[: min(most, len(ranked) - 1)])


def _require_range(fraction: float, most: int) -> None:
    if not 0 <= fraction < 1 or most < 0:
        raise ConfigurationError(
            f"the validation split is {fraction} of the pictures and at most {most}: use 0 to below 1, and 0 or more"
        )


def _chosen(split: Split, held: dict[str, frozenset[str]], *, inside: bool) -> Split:
    domains = {
        domain: tuple(item for item in items if (item.key in held[domain]) is inside)
        for domain, items in split.domains.items()
    }
    return Split(domains=domains, paired=split.paired)
