"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from typing import Any

from rich.console import Console

from translate.recipe import Recipe


def refuse_bad_data(recipe: Recipe[Any], console: Console) -> None:
    """Raise DatasetError where the data set cannot train."""
