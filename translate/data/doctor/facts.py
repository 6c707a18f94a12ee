"""All that the checks need to know of one file, from one reading of it."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast, get_args

import numpy as np

from translate.data.doctor.integrity import check_integrity
from translate.data.items import Half
from translate.data.pictures import Decoded, Limits, Probe, decode, labels_of, pixels_of, read_bytes
from translate.data.refusals import Reason
from translate.errors import PictureError


@dataclass(frozen=True, kw_only=True)
class View:
    """A part of a file to look at: its half, and whether it is a label map."""

    half: Half = "whole"
    labels: bool = False


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is in one view. Equal `digest`: the same pixels. `flat`: all one colour. `top_label`: -1 for pictures."""

    width_px: int
    height_px: int
    digest: str
    flat: bool
    transparent: bool = False
    top_label: int = -1


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One file: its header and contents (one a view), or the reason why there are none."""

    probe: Probe | None = None
    contents: tuple[Content, ...] = ()
    reason: Reason | Literal[""] = ""
    message: str = ""

    def document(self) -> dict[str, Any]:
        """As plain data for JSON; `from_document` is its inverse."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read what `document` gave. Raises KeyError, TypeError or ValueError for anything else."""
        header = document["probe"]
        return cls(
            probe=None if header is None else Probe(**header),
            contents=tuple(Content(**content) for content in document["contents"]),
            reason=_reason(document["reason"]),
            message=document["message"],
        )


def gather(path: Path, views: tuple[View, ...], limits: Limits) -> Facts:
    """Read, decode and describe a file; whatever is wrong with it is a fact too."""
    probe = None
    try:
        data = read_bytes(path, limits)
        decoded = decode(data, str(path), limits)
        probe = decoded.probe
        check_integrity(data, decoded)
        return Facts(probe=probe, contents=tuple(_content(decoded, view) for view in views))
    except PictureError as problem:
        return Facts(probe=probe, reason=_reason(problem.reason), message=str(problem))
    except MemoryError:
        return Facts(probe=probe, reason="out_of_memory", message="takes more memory than there is")


def _reason(word: str) -> Reason | Literal[""]:
    """A reason as it was written down. Raises ValueError for one that another Pixturn had."""
    if word and word not in get_args(Reason):
        raise ValueError(f"{word} is not a reason that is known")
    return cast("Reason", word)


def _content(decoded: Decoded, view: View) -> Content:
    if view.labels:
        values = labels_of(decoded, half=view.half)
        return _described(values, top_label=int(values.max()))
    values = pixels_of(decoded, channels=4, half=view.half)
    return _described(values, transparent=bool(decoded.probe.has_alpha and values[..., 3].min() < 255))


def _described(values: np.ndarray, *, transparent: bool = False, top_label: int = -1) -> Content:
    height, width = values.shape[:2]
    digest = hashlib.sha256(f"{values.shape}{values.dtype}".encode() + np.ascontiguousarray(values).data)
    return Content(
        width_px=width,
        height_px=height,
        digest=digest.hexdigest(),
        flat=bool((values == values[:1, :1]).all()),
        transparent=transparent,
        top_label=top_label,
    )
