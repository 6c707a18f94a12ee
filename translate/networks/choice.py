"""Options that are names: a table from each name to what it means, and one clear refusal of any other name."""

from collections.abc import Mapping
from typing import TypeVar

from translate.errors import ConfigurationError

Meaning = TypeVar("Meaning")


def choose(table: Mapping[str, Meaning], name: str, option: str) -> Meaning:
    """What `name` means. Raises ConfigurationError, which lists the names, for one that is not in the table."""
    if name not in table:
        raise ConfigurationError(f"{option} {name!r} is unknown: use one of {', '.join(table)}")
    return table[name]


def at_least(least: int, value: int, option: str) -> int:
    """`value`. Raises ConfigurationError if it is under `least`."""
    if value < least:
        raise ConfigurationError(f"{option} is {value}: use {least} or more")
    return value
