"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines.check import print_groups
from pipelines.training.translation.examined import examined
from translate.errors import DatasetError
from translate.recipe import Recipe


def refuse_bad_data(recipe: Recipe[Any], console: Console) -> None:
    """Examine every picture; print what is wrong, and raise DatasetError where the data set cannot train."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Reading pictures", total=None)
        problems = examined(recipe, lambda done, of: bar.update(task, completed=done, total=of))
    errors = [problem for problem in problems if problem.severity == "error"]
    print_groups("error", errors, Path(recipe.data), console)
    if len(problems) > len(errors):
        console.print(f"{len(problems) - len(errors)} warnings about {recipe.data}: `pixturn check` tells them")
    if errors:
        raise DatasetError(f"{recipe.data} cannot be trained on: {len(errors)} errors, listed above with their fixes")
