"""What a report says of the data set: how the folder was understood, counts, licence, and the doctor's findings."""

from collections import defaultdict
from typing import Any

from pipelines.report import DataSummary, Finding
from pipelines.training.translation.data import Data
from pipelines.training.translation.examined import examined
from translate.data.doctor import Problem
from translate.recipe import Recipe


def summarise(data: Data, recipe: Recipe[Any]) -> DataSummary:
    """The summary; pictures that the doctor saw before the run are remembered, so that this is quick."""
    splits = {"train": data.training, "validation": data.validation, "test": data.test}
    return DataSummary(
        description=data.layout.description,
        pictures={name: len(split) for name, split in splits.items() if split is not None},
        licence=data.licence,
        problems=tuple(_findings(recipe)),
    )


def _findings(recipe: Recipe[Any]) -> list[Finding]:
    by_kind: dict[str, list[Problem]] = defaultdict(list)
    for problem in examined(recipe):
        by_kind[problem.code].append(problem)
    return [_finding(problems) for problems in by_kind.values()]


def _finding(problems: list[Problem]) -> Finding:
    """One line for each kind, with its first file."""
    first = problems[0]
    where = first.paths[0].name if first.paths else "the folder"
    return Finding(
        severity=first.severity,
        message=f"{first.title} ({len(problems)} times, as in {where})",
        remedy=first.fix,
    )
