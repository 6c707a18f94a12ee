"""Pictures that came to nothing, and the list of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from translate.errors import PictureError
from translate.storage.atomic import room_for, write_atomically

FAILURES: Final = "failures.jsonl"
"""The list, in the folder of the results: one JSON object a line."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One picture (or folder) that was refused: `reason` is a short code, `message` says it for people."""

    path: str
    reason: str
    message: str

    @classmethod
    def of(cls, path: Path, problem: PictureError) -> "Failure":
        """The words alone: an error would keep the pixels alive that it met on its way."""
        return cls(path=str(path), reason=problem.reason, message=str(problem))


def write_failures(failures: Sequence[Failure], out: Path) -> None:
    """Replace the list of an earlier run; without failures there is none."""
    target = out / FAILURES
    if failures:
        write_atomically(target, "".join(f"{json.dumps(asdict(failure))}\n" for failure in failures))
        return
    with room_for(target, 0):
        target.unlink(missing_ok=True)
