"""From a file on disk to weights by name: read once, told by its first bytes, and refused in words."""

import hashlib
import io
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch
from safetensors.torch import load as load_safetensors
from torch import Tensor

from translate.errors import ModelError
from translate.storage.foreign.archive import ZIP_START, checked_archive
from translate.storage.foreign.contents import tensors_of
from translate.storage.foreign.limits import Limits
from translate.storage.foreign.pickles import check_pickles

Format = Literal["zip", "pickle", "safetensors"]

_LEGACY_START = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""A pickle of the number that torch.save wrote before version 1.6."""
_LEGACY_PICKLES: Final = 5
_HEADER_LENGTH_BYTES = 8
_OTHER_STARTS = {
    b"\x80": "a pickle that torch.save did not write",
    b"<": "a web page: the download went wrong",
    b"version https://git-lfs": "a pointer of Git LFS, not the file: run `git lfs pull`",
    b"\x1f\x8b": "compressed with gzip: unpack it first",
    b"\x08": "an .onnx file already, it seems, which needs no import: pixturn run FILE ...",
}
_TAR_MARK, _TAR_AT = b"ustar", 257


@dataclass(frozen=True, kw_only=True)
class ForeignWeights:
    """Weights by the names that their network gave them (on the CPU), and where they come from."""

    tensors: Mapping[str, Tensor]
    sha256: str
    format: Format


def read_weights(path: Path, *, sha256: str = "", limits: Limits | None = None) -> ForeignWeights:
    """Read a file of weights that anybody may have made.

    A zip is checked against its CRC-32s; the older pickle and safetensors carry none, so there a flipped bit may stay
    unnoticed unless the SHA-256 is known.

    Args:
        path: a `.pth`, `.pt` or `.safetensors` file; its bytes decide, not its name.
        sha256: the hash that the file must have, in hexadecimal; "": any.
        limits: sizes above which a file is refused.

    Raises:
        ModelError: for whatever is not a file of weights, is damaged, too large, or would run code.
    """
    limits = limits or Limits()
    data = _bytes(path, limits)
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256.strip().lower():
        raise ModelError(f"{path} has the SHA-256 {digest}, not {sha256}: it is damaged, or another file")
    kind = _format(data, str(path))
    tensors = tensors_of(_document(data, kind, str(path), limits), str(path), len(data), limits)
    return ForeignWeights(tensors=tensors, sha256=digest, format=kind)


def _bytes(path: Path, limits: Limits) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a file")
        if status.st_size > limits.max_file_mb * 10**6:
            raise ModelError(
                f"{path} is larger than {limits.max_file_mb:,} MB: raise --limits.max-file-mb if it is right"
            )
        return path.read_bytes()
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise ModelError(f"{str(path)!r} cannot be read: {getattr(problem, 'strerror', None) or problem}") from problem


def _format(data: bytes, name: str) -> Format:
    if data.startswith(ZIP_START):
        return "zip"
    if data.startswith(_LEGACY_START):
        return "pickle"
    if data[_HEADER_LENGTH_BYTES : _HEADER_LENGTH_BYTES + 1] == b"{":
        return "safetensors"
    if data[_TAR_AT : _TAR_AT + len(_TAR_MARK)] == _TAR_MARK:
        raise ModelError(
            f"{name} is a tar archive, as torch wrote before version 0.1.10 or as people pack: unpack it first"
        )
    what = next((what for start, what in _OTHER_STARTS.items() if data.startswith(start)), "something else")
    raise ModelError(f"{name} is {what}; give a file that torch.save or safetensors wrote")


def _document(data: bytes, kind: Format, name: str, limits: Limits) -> Any:  # noqa: ANN401 - whatever the file holds
    if kind == "zip":
        return _unpickled(checked_archive(data, name, limits), name)
    if kind == "pickle":
        return _legacy(data, name, limits)
    try:
        return load_safetensors(data)
    except Exception as problem:  # the library raises several kinds; each means the same here
        raise ModelError(f"{name} is damaged: {problem}. Download or copy it again") from problem


def _legacy(data: bytes, name: str, limits: Limits) -> Any:  # noqa: ANN401
    """Read the older format: five pickles, then the numbers, and nothing after the last tensor."""
    check_pickles(data[: limits.max_pickle_mb * 10**6], _LEGACY_PICKLES, name)
    stream = io.BytesIO(data)
    document = _unpickled(stream, name)
    if stream.tell() != len(data):
        raise ModelError(f"{name} is damaged: {len(data) - stream.tell():,} bytes follow its last tensor")
    return document


def _unpickled(stream: io.BytesIO, name: str) -> Any:  # noqa: ANN401
    try:
        return torch.load(stream, weights_only=True, map_location="cpu")
    except Exception as problem:  # torch raises a dozen kinds; its advice, to load without protection, is left out
        reason = (str(problem).splitlines() or ["no reason given"])[0]
        raise ModelError(
            f"{name} cannot be read ({type(problem).__name__}: {reason[:160]}): it is damaged, or holds more than "
            "weights. Copy it again, or save the weights alone with torch.save(network.state_dict(), PATH)"
        ) from problem
