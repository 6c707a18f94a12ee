"""Before step 0: the dataset doctor's errors end the run, all of them told at once."""

from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.training.generation.data import known
from pipelines.training.generation.one import one_domain, sample_port_of
from pipelines.training.preflight import refuse_errors
from translate.data.doctor import Problem, examine_collection
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
    refuse_errors(examined(recipe), recipe.data, console)
