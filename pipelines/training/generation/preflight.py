"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.check import print_groups
from pipelines.training.generation.data import known
from pipelines.training.generation.one import one_domain, sample_port_of
from translate.data.doctor import Problem, examine_collection
from translate.errors import DatasetError
from translate.recipe import Recipe


def examined(recipe: Recipe[Any]) -> list[Problem]:
    """What the doctor finds in the folder, for a recipe that knows what its samples are."""
    domain = one_domain(recipe)
    return examine_collection(
        Path(recipe.data),
        sample_port_of(domain),
        classes=len(domain.classes) if domain.labelled else None,
        names=domain.classes,
        crop_px=recipe.augmentation.crop_px,
    )


def refuse_bad_data(recipe: Recipe[Any], console: Console) -> None:
    """Examine every sample; print what is wrong, and raise DatasetError where the data set cannot train."""
    recipe, _ = known(recipe)
    problems = examined(recipe)
    errors = [problem for problem in problems if problem.severity == "error"]
    print_groups("error", errors, Path(recipe.data), console)
    if len(problems) > len(errors):
        console.print(f"{len(problems) - len(errors)} warnings about {recipe.data}: `pixturn check` tells them")
    if errors:
        raise DatasetError(f"{recipe.data} cannot be trained on: {len(errors)} errors, listed above with their fixes")
