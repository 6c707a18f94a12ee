"""What a run needs of its data set, whatever it learns from it."""

import json
from pathlib import Path
from typing import Final, Protocol, Self

from translate.data.dataset import BatchSource
from translate.data.store import Store

DESCRIPTION: Final = "dataset.json"


def stated(root: Path, word: str) -> str:
    """What a data set's `dataset.json` says of itself under this word; nothing where it has none."""
    folder = root if root.is_dir() else root.parent
    try:
        return str(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")).get(word, ""))
    except (OSError, ValueError, AttributeError):
        return ""


class Data(Protocol):
    """A data set as a recipe sees it."""

    @property
    def description(self) -> str:
        """How the folder was understood."""
        ...

    @property
    def licence(self) -> str:
        """The licence that the folder states, if it does."""
        ...

    @property
    def attribution(self) -> str:
        """Who made the pictures, where the folder says so."""
        ...

    @property
    def train(self) -> BatchSource:
        """The training samples."""
        ...

    @property
    def held_out_told(self) -> str:
        """How many samples are held out for validation, in words."""
        ...

    def cached(self, store: Store) -> Self:
        """The same data, whose training pictures come from a store; what it lacks is made now.

        Raises ConfigurationError or StorageError where the store cannot be written.
        """
        ...
