"""What a file of arrays may hold at most, and the words for one that is refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from translate.errors import DatasetError

DEFLATE_MOST: Final = 1032
"""Bytes that one byte of a gzip or zip file can become at most; a header that promises more lies."""


@dataclass(frozen=True, kw_only=True)
class ArrayLimits:
    """What one array may have at most; a file beyond is refused before memory is taken for it."""

    max_bytes: int = 4_000_000_000
    max_side_px: int = 16_384


DEFAULT_ARRAY_LIMITS: Final = ArrayLimits()


def refuse_array(path: Path, message: str) -> DatasetError:
    """The error to raise for a file; the message goes on after its name."""
    return DatasetError(f"{path}: {message}")


def require_room(path: Path, what: str, size: int, packed: int | None, limits: ArrayLimits) -> None:
    """Refuse what a header promises where it is over the limit, or more than so few bytes can hold.

    Args:
        path: The file.
        what: The array, as the message names it.
        size: Bytes that the header promises.
        packed: Bytes in the file that are to become them; None where they are not packed.
        limits: What is allowed.

    Raises:
        DatasetError: For an array that is not to be read.
    """
    if size > limits.max_bytes:
        raise refuse_array(path, f"{what} has {size} bytes; the limit is {limits.max_bytes}: cut it into fewer samples")
    if packed is not None and size > DEFLATE_MOST * (packed + 1):
        raise refuse_array(
            path, f"{what} is to have {size} bytes, more than {packed} packed ones can hold: copy the file again"
        )
