"""What a run needs of its data set, whatever it learns from it."""

from typing import Protocol

from translate.data.dataset import BatchSource


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
    def train(self) -> BatchSource:
        """The training samples."""
        ...

    @property
    def held_out_told(self) -> str:
        """How many samples are held out for validation, in words."""
        ...
