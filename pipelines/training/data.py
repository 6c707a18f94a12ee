"""What a run needs of its data set, whatever it learns from it."""

from typing import Protocol, Self

from translate.data.dataset import BatchSource
from translate.data.store import Store


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
