"""The child that decodes: it may read, compute for a while and take so much memory, and nothing more."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.batch.reading import Reader
from translate.card import Card
from translate.data.carried import Carried
from translate.data.headers import Limits
from translate.errors import PictureError

_MEGABYTE: Final = 1_000_000


def main() -> None:
    """Decode what standard input asks for, one request a line, until it ends."""
    seconds, memory_mb = (int(argument) for argument in sys.argv[1:3])
    _cap(memory_mb)
    for line in sys.stdin.buffer:
        _allow_seconds(seconds)
        _answer(json.loads(line), sys.stdout.buffer)


def _answer(request: dict[str, Any], out: IO[bytes]) -> None:
    try:
        arrays, profile = _decoded(request)
    except PictureError as problem:
        _send(out, {"reason": problem.reason, "message": _for_visitors(str(problem), request["paths"])})
        return
    shapes = [(name, array.dtype.name, array.shape) for name, array in arrays.items()]
    contents = [np.ascontiguousarray(array).data for array in arrays.values()]
    _send(out, {"arrays": shapes, "profile_bytes": len(profile)}, *contents, memoryview(profile))


def _decoded(request: dict[str, Any]) -> tuple[Mapping[str, npt.NDArray[np.integer]], bytes]:
    card = Card.from_json(request["card"])
    stated: dict[str, Any] = request["limits"]
    limits = replace(Limits(**stated), formats=tuple(stated["formats"]))
    reader = Reader(card=card, limits=limits, alpha=request["alpha"])
    try:
        sample = reader.read([Path(path) for path in request["paths"]])
    except MemoryError as problem:
        raise PictureError("out_of_memory", f"{request['paths'][0]}: takes too much memory: shrink it") from problem
    pixels = {f"pixels {name}": array for name, array in sample.pixels.items()}
    return pixels | _alpha(sample.carried), sample.carried.profile or b""


def _alpha(carried: Carried) -> dict[str, npt.NDArray[np.integer]]:
    return {} if carried.alpha is None else {"alpha": carried.alpha}


def _for_visitors(message: str, paths: list[str]) -> str:
    for path in paths:
        message = message.replace(path, Path(path).name)
    return message


def _send(out: IO[bytes], header: Mapping[str, Any], *contents: memoryview) -> None:
    text = json.dumps(header).encode()
    out.write(len(text).to_bytes(8, "big") + text)
    for content in contents:
        out.write(content)
    out.flush()


def _cap(memory_mb: int) -> None:
    if sys.platform == "win32":  # has no such limits; time is kept by the server everywhere
        return
    import resource

    most = memory_mb * _MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it has nothing to write to any file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow_seconds(seconds: int) -> None:
    """So much more computing time than has been used; the kernel ends the child beyond."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
