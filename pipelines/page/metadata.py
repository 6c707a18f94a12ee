"""The card of an .onnx file without loading the model: the page lists dozens of files in no time.

Only the outermost level of the file is walked (protocol buffers: a key, then a number or so many bytes); the weights
are stepped over unread. Whether the file is sound is examined when it is loaded.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from translate.card import Card
from translate.errors import ModelError
from translate.runtime.gate import CARD_KEY

_METADATA_FIELD: Final = 14
"""`metadata_props` of ONNX's ModelProto: entries of a key (field 1) and a value (field 2)."""

_BYTES_TYPE: Final = 2
_FIXED_SIZES: Final = {1: 8, 5: 4}
_MOST_CARD_BYTES: Final = 1_000_000


def read_card(path: Path) -> Card:
    """The card in a file's metadata. Raises ModelError for a file without one, or one that cannot be read."""
    try:
        with path.open("rb") as file:
            for content in _metadata(file):
                entry = dict(_fields(content))
                if entry.get(1) == CARD_KEY.encode():
                    return Card.from_json(entry[2].decode())
    except (OSError, EOFError, KeyError, UnicodeDecodeError) as problem:
        raise ModelError(f"{path} cannot be read as a model: was the file copied as a whole?") from problem
    raise ModelError(f"{path} has no card of Pixturn's: export a run (pixturn export), or bring it in (pixturn import)")


def _metadata(file: BinaryIO) -> Iterator[bytes]:
    """The contents of the metadata's entries."""
    while (key := _varint(file, may_end=True)) is not None:
        field, kind = key >> 3, key & 7
        if kind == 0:
            _varint(file)
            continue
        size = _varint(file) if kind == _BYTES_TYPE else _FIXED_SIZES.get(kind)
        if size is None:
            raise EOFError
        if field == _METADATA_FIELD and size <= _MOST_CARD_BYTES:
            yield _exactly(file, size)
        else:
            file.seek(size, 1)


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message whose fields are all texts."""
    file = io.BytesIO(content)
    while (key := _varint(file, may_end=True)) is not None:
        yield key >> 3, _exactly(file, _varint(file) or 0)


def _varint(file: BinaryIO, *, may_end: bool = False) -> int | None:
    """A whole number, seven bits a byte, the lowest first; None at the end of the file where it may end."""
    number = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            if may_end and not shift:
                return None
            raise EOFError
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return number
    raise EOFError


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise EOFError
    return content
