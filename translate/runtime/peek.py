"""The card of an `.onnx` file, read without the rest: for lists of models.

Only the few bytes of the card are looked at, by the wire format of protocol buffers; the graph is stepped over. Nothing
is checked or loaded, so this says what a file claims to be, and not that it is fit to be run.
"""

import os
from pathlib import Path
from typing import BinaryIO, Final

from translate.card import Card
from translate.errors import ModelError
from translate.runtime.gate import CARD_KEY

_METADATA: Final = 14
"""Number of the field `metadata_props` of ONNX's ModelProto."""
_KEY, _VALUE = 1, 2
"""Those of its entries."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Wire types."""
_MOST_BYTES: Final = 1 << 20
"""Of an entry; a card has a few thousand."""
_MOST_VARINT_BYTES: Final = 10


def peek_card(path: Path) -> Card | None:
    """The card that an `.onnx` file carries; None for a file that has none, or cannot be read."""
    try:
        with path.open("rb") as file:
            return _card(file, os.fstat(file.fileno()).st_size)
    except (OSError, ValueError, ModelError):
        return None


def _card(file: BinaryIO, end: int) -> Card | None:
    while file.tell() < end:
        number, length = _field(file)
        if number != _METADATA:
            file.seek(length, os.SEEK_CUR)
            continue
        entry = _entry(file, file.tell() + length)
        if entry.get(_KEY) == CARD_KEY.encode():
            return Card.from_json(entry.get(_VALUE, b"").decode())
    return None


def _entry(file: BinaryIO, end: int) -> dict[int, bytes]:
    fields = dict[int, bytes]()
    while file.tell() < end:
        number, length = _field(file)
        if length > _MOST_BYTES:
            raise ValueError("an entry that is too long")
        fields[number] = file.read(length)
    return fields


def _field(file: BinaryIO) -> tuple[int, int]:
    """The number of the field that begins here, and the bytes of its content, which come next."""
    number, wire_type = divmod(_varint(file), 8)
    if wire_type == _BYTES:
        return number, _varint(file)
    if wire_type == _VARINT:
        _varint(file)
        return number, 0
    if wire_type in (_FIXED64, _FIXED32):
        return number, 8 if wire_type == _FIXED64 else 4
    raise ValueError(f"no field has the wire type {wire_type}")


def _varint(file: BinaryIO) -> int:
    """Seven bits a byte, the lowest first; the last byte has its eighth bit clear."""
    value = 0
    for place in range(_MOST_VARINT_BYTES):
        byte = file.read(1)
        if not byte:
            raise ValueError("the file ends too early")
        value |= (byte[0] & 0x7F) << 7 * place
        if byte[0] < 0x80:
            return value
    raise ValueError("a number that is too long")
