"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.check import diagnose, print_problems
from pipelines.training.translation.two import two_domains
from translate.errors import DatasetError
from translate.recipe import Recipe


def refuse_bad_data(recipe: Recipe[Any], console: Console) -> None:
    """Examine every picture; print what is wrong, and raise DatasetError where the data set cannot train."""
    two = two_domains(recipe)
    diagnosis = diagnose(
        Path(recipe.data),
        console,
        direction=two.direction,
        paired=two.paired,
        a_kinds=two.a,
        b_kinds=two.b,
        crop_px=recipe.augmentation.crop_px,
    )
    print_problems(replace(diagnosis, problems=diagnosis.errors), console)
    if diagnosis.warnings:
        console.print(f"{len(diagnosis.warnings)} warnings about {recipe.data}: `pixturn check` tells them")
    if diagnosis.errors:
        raise DatasetError(
            f"{recipe.data} cannot be trained on: {len(diagnosis.errors)} errors, listed above with their fixes"
        )
