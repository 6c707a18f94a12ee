"""Files inside a Qt resource file (`.rcc`), in which GCompris keeps its pictures.

The format is Qt's own (qtbase, `src/tools/rcc/rcc.cpp`): the word `qres`, then version and the offsets of tree, data
and names, all big-endian. A node of the tree is a folder, with the number and the first of its children, or a file,
with the offset of its length and bytes.
"""

import struct
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

from translate.errors import DatasetError

_COMPRESSED: Final = 0b101  # zlib or Zstandard: no picture is, and nothing else is read
_FOLDER: Final = 0b010
_NEWEST_VERSION: Final = 3


@dataclass(frozen=True, kw_only=True)
class _Tree:
    data: bytes
    nodes: int
    contents: int
    names: int
    node_bytes: int

    def walk(self, node: int, path: str) -> Generator[tuple[str, bytes]]:
        """The files below a node that are stored as they are."""
        start = self.nodes + node * self.node_bytes
        (flags,) = struct.unpack_from(">H", self.data, start + 4)
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", self.data, start + 6)
            for child in range(first, first + count):
                yield from self.walk(child, f"{path}/{self.name(child)}")
        elif not flags & _COMPRESSED:
            (offset,) = struct.unpack_from(">I", self.data, start + 10)
            yield path, self.content(self.contents + offset)

    def name(self, node: int) -> str:
        """A node's own name: its length, a hash, and that many UTF-16 units."""
        (offset,) = struct.unpack_from(">I", self.data, self.nodes + node * self.node_bytes)
        (length,) = struct.unpack_from(">H", self.data, self.names + offset)
        start = self.names + offset + 6
        return self.data[start : start + 2 * length].decode("utf-16-be")

    def content(self, start: int) -> bytes:
        """A file's bytes, after their number."""
        (length,) = struct.unpack_from(">I", self.data, start)
        content = self.data[start + 4 : start + 4 + length]
        if len(content) < length:
            raise ValueError("a file ends behind the end")
        return content


def read_rcc(data: bytes, name: str) -> dict[str, bytes]:
    """All files of a Qt resource file that are not compressed, by their path (`/gcompris/src/...`).

    Args:
        data: The resource file.
        name: What to call it in a message.

    Raises:
        DatasetError: It is not a resource file, is damaged, or of a newer version than 3.
    """
    try:
        magic, version, nodes, contents, names = struct.unpack_from(">4s4I", data)
        if magic != b"qres" or not 1 <= version <= _NEWEST_VERSION:
            raise ValueError(f"it begins with {data[:8]!r}")
        tree = _Tree(data=data, nodes=nodes, contents=contents, names=names, node_bytes=14 if version == 1 else 22)
        return dict(tree.walk(0, ""))
    except (struct.error, ValueError, RecursionError) as error:
        raise DatasetError(
            f"{name} is no Qt resource file that can be read ({error}): install its package again"
        ) from error
