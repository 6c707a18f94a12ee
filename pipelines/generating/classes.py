"""From classes as people say them, by number or by name, to the numbers that a model takes."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from translate.card import Label
from translate.errors import ConfigurationError

Class = int | str
Classes = Class | Sequence[Class] | None
"""One class, several in turn, or (None) all of them in turn."""

_LISTED = 20


def class_numbers(port: Label, wanted: Classes, count: int) -> NDArray[np.int64]:
    """The classes of `count` samples: sample i has the i-th of those wanted, which begin again when they end.

    Raises:
        ConfigurationError: a class is not there; those that are, are named.
    """
    chosen = range(port.classes) if wanted is None else [class_number(port, each) for each in _several(wanted)]
    if not chosen:
        raise ConfigurationError(f"No class was given; {known(port)}")
    return np.resize(np.array(chosen, dtype=np.int64), count)


def class_number(port: Label, wanted: Class) -> int:
    """One class by its name, or by its number (also as text). Raises ConfigurationError where it is not there."""
    if isinstance(wanted, str) and wanted in port.names:
        return port.names.index(wanted)
    number = int(wanted) if isinstance(wanted, str) and wanted.isdecimal() else wanted
    if not isinstance(number, str) and 0 <= number < port.classes:
        return int(number)
    near = get_close_matches(str(wanted), port.names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigurationError(f"There is no class {wanted!r}; {hint}{known(port)}")


def class_title(port: Label, number: int) -> str:
    """A class as people read it: number and, where it has one, name."""
    return f"{number} {port.names[number]}" if port.names else str(number)


def known(port: Label) -> str:
    """The classes in words."""
    if not port.names:
        return f"the classes are 0 to {port.classes - 1}"
    titles = [class_title(port, number) for number in range(min(port.classes, _LISTED))]
    more = f" and so on, up to {class_title(port, port.classes - 1)}" if port.classes > _LISTED else ""
    return f"the classes are {', '.join(titles)}{more}"


def _several(wanted: Class | Sequence[Class]) -> Sequence[Class]:
    return (wanted,) if isinstance(wanted, int | str | np.integer) else wanted
