"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from typing import Any

from rich.console import Console

from pipelines.check import reading_bar
from pipelines.training.preflight import refuse_errors
from pipelines.training.translation.examined import examined
from translate.recipe import Recipe


def refuse_bad_data(recipe: Recipe[Any], console: Console) -> None:
    """Examine every picture; print what is wrong, and raise DatasetError where the data set cannot train."""
    with reading_bar(console) as bar:
        task = bar.add_task("Reading pictures", total=None)
        problems = examined(recipe, lambda done, of: bar.update(task, completed=done, total=of))
    refuse_errors(problems, recipe.data, console)
