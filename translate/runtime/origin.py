"""Which weights a runtime holds and what computes with them, as reports say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from translate.runtime.integrity import ModelFile


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The file behind a runtime, and its engine."""

    path: str | None = None
    """The model's file; None for weights that are no file of their own."""
    sha256: str | None = None
    """Of that file's bytes, as they were loaded."""
    compute: str = "fp32"
    """What floating-point layers compute in; weights are stored as the card's precision says."""
    versions: Mapping[str, str]
    """The engine's package, with its version."""

    @classmethod
    def of_file(cls, model: ModelFile, *, compute: str = "fp32", **versions: str) -> Self:
        """For a file that was read and is run by an engine of that version."""
        return cls(path=str(model.path), sha256=model.sha256, compute=compute, versions=versions)


@runtime_checkable
class Traceable(Protocol):
    """A runtime that says where its weights come from."""

    @property
    def origin(self) -> Origin:
        """Which weights, and which engine."""
        ...
