"""The bytes of a model: read once, compared with the hash beside the file, and only then shown to anyone.

ONNX Runtime takes a file with a flipped bit without a word, and gives other pictures. So an exported `X.onnx` has
`X.onnx.sha256` beside it, one line as `sha256sum` writes it, and a file that differs from it is refused.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from translate.errors import ModelError

_MOST_BYTES: Final = 1 << 31
_MOST_LINE_BYTES: Final = 4096
_MOST_SIDECARS: Final = 100
_LINE: Final = re.compile(rb"([0-9a-f]{64}) [ *]([^\0/]{1,255})\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model's bytes with their SHA-256; `has_known_hash` says whether a sidecar vouches for them."""

    path: Path
    data: bytes = field(repr=False)
    sha256: str
    has_known_hash: bool


def sidecar(path: Path) -> Path:
    """Where a model's hash lies: `X.onnx.sha256` for `X.onnx`."""
    return path.with_name(f"{path.name}.sha256")


def sidecar_line(name: str, data: bytes) -> bytes:
    """What stands in it for a model of that name: what `sha256sum` writes and `sha256sum -c` reads."""
    return f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode()


def read_model(path: Path) -> ModelFile:
    """Read a model once. Whoever uses it takes these bytes, and never opens the file again.

    Raises:
        ModelError: the file cannot be read, has 2 GiB or more, or is not the one that its sidecar vouches for. A
            missing sidecar is no error.
    """
    try:
        data = _read(path)
        line = _line(sidecar(path))
    except OSError as problem:
        raise ModelError(f"{path} cannot be read: {problem.strerror or problem}") from problem
    except ValueError as problem:  # a NUL in the path
        raise ModelError(f"{str(path)!r} cannot be read: {problem}") from problem
    digest = hashlib.sha256(data).hexdigest()
    if line is not None:
        _require_match(path, digest, line)
    return ModelFile(path=path, data=data, sha256=digest, has_known_hash=line is not None)


def read_unchanged(path: Path, sha256: str) -> bytes:
    """The bytes of a model that was read before, read again. Raises ModelError where they are others by now."""
    model = read_model(path)  # rather than held in memory: few pictures are so large that it is asked for
    if model.sha256 != sha256:
        raise ModelError(f"{path} was changed since it was loaded; load it again")
    return model.data


def no_known_hash(model: ModelFile) -> str:
    """What to tell of a model that no sidecar vouches for; an old one, where the file has been renamed, is named."""
    expected = sidecar(model.path).name
    old = next((each.name for each in _sidecars(model.path.parent) if _vouches(each, model.sha256)), None)
    if old is not None:
        return f"{model.path} was renamed, and its hash was not: rename {old} to {expected}, and the name in it too"
    return (
        f"{model.path} has no {expected} beside it, so there was no hash to compare it with: damage that leaves it "
        "runnable goes unnoticed"
    )


def _sidecars(folder: Path) -> Iterator[Path]:
    return islice((each for each in folder.glob("*.sha256") if each.is_file()), _MOST_SIDECARS)


def _vouches(path: Path, sha256: str) -> bool:
    try:
        found = _LINE.fullmatch(_line(path) or b"")
    except OSError:
        return False
    return found is not None and found[1].decode() == sha256


def _read(path: Path) -> bytes:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait for ever
        raise ModelError(f"{path} cannot be read: it is not a file")
    if status.st_size >= _MOST_BYTES:
        raise ModelError(f"{path} has {status.st_size / 1e9:.1f} GB; one .onnx file holds less than 2 GiB")
    return path.read_bytes()


def _line(path: Path) -> bytes | None:
    """What the sidecar says; None where there is none."""
    if not os.path.lexists(path):  # a link that leads nowhere is there, and cannot be read
        return None
    if not path.is_file():
        raise ModelError(f"{path} cannot be read: it is not a file")
    with path.open("rb") as file:
        return file.read(_MOST_LINE_BYTES)


def _require_match(path: Path, digest: str, line: bytes) -> None:
    found = _LINE.fullmatch(line)
    if found is not None and found[2] != os.fsencode(path.name):
        raise ModelError(
            f"{sidecar(path)} is the hash of {os.fsdecode(found[2])}, not of {path.name}: where {path.name} is that "
            f"file under a new name, write the hash anew (sha256sum {path.name} > {sidecar(path).name}); if not, copy "
            "both files again from where they are whole"
        )
    if found is None:
        raise ModelError(
            f"{sidecar(path)} is not the one line that `sha256sum {path.name}` writes; "
            "copy both files again from where they are whole"
        )
    if found[1].decode() != digest:
        raise ModelError(
            f"{path} is damaged or another file: its SHA-256 is not the one in {sidecar(path).name}; "
            "copy both files again from where they are whole"
        )
