"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines.check import print_groups
from pipelines.telling import counted
from translate.data.doctor import Problem
from translate.errors import DatasetError


def refuse_errors(problems: Sequence[Problem], data: str, console: Console) -> None:
    """Print the errors in the data set at `data`, and how many warnings there are.

    Raises:
        DatasetError: there are errors.
    """
    errors = [problem for problem in problems if problem.severity == "error"]
    print_groups("error", errors, Path(data), console)
    if len(problems) > len(errors):
        warnings = counted(len(problems) - len(errors), "warning")
        console.print(f"{warnings} about {data}: `pixturn check` lists them", highlight=False, soft_wrap=True)
    if errors:
        raise DatasetError(f"{data} cannot be trained on: {counted(len(errors), 'error')}, listed above with the fix")
