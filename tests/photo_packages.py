"""Packages such as the example `photos` reads, written for tests."""

import collections
import io
import lzma
import struct
import tarfile
import zlib


def rcc(files, version=3, compressed=()):
    """A resource file as Qt writes it, breadth first; `files` by path, such as `/a/b.webp`."""
    children = collections.defaultdict(list)
    for path in files:
        parts = path.strip("/").split("/")
        for depth in range(len(parts)):
            parent, child = "/".join(parts[:depth]), "/".join(parts[: depth + 1])
            if child not in children[parent]:
                children[parent].append(child)
    order = [""]
    for node in order:
        order.extend(children[node])
    nodes, contents, names = b"", b"", b""
    for node in order:
        name = node.rpartition("/")[2].encode("utf-16-be")
        content = files.get(f"/{node}")
        if content is None:
            flags, rest = 2, struct.pack(">II", len(children[node]), order.index(children[node][0]))
        else:
            flags = 1 if f"/{node}" in compressed else 0
            stored = struct.pack(">I", len(content)) + zlib.compress(content) if flags else content
            rest = struct.pack(">HHI", 0, 1, len(contents))
            contents += struct.pack(">I", len(stored)) + stored
        nodes += struct.pack(">IH", len(names), flags) + rest + (bytes(8) if version > 1 else b"")
        names += struct.pack(">HI", len(name) // 2, 0) + name
    head = 20 + (4 if version > 2 else 0)
    offsets = (version, head, head + len(nodes), head + len(nodes) + len(contents))
    return b"qres" + struct.pack(">4I", *offsets) + bytes(head - 20) + nodes + contents + names


def deb(files, pack=lzma.compress, suffix="xz"):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"./{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    members = {"debian-binary": b"2.0\n", "control.tar.gz": b"odd", f"data.tar.{suffix}": pack(tar.getvalue())}
    out = b"!<arch>\n"
    for name, data in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


def unpack(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
