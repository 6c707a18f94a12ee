"""From a recipe as people write it to one without `auto`: what is stored, and what a resume repeats."""

import math
import os
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import torch

from pipelines.methods import method_class
from pipelines.scoring.measures import LAST, MEASURES
from pipelines.training.kit import kit_of
from translate.devices import pick_layout, pick_precision
from translate.errors import ConfigurationError
from translate.recipe import Length, Recipe
from translate.runtime.cores import usable_cores

VALIDATIONS = 20
"""How often a run is scored where its recipe does not say."""


def resolve(recipe: Recipe[Any], *, pictures: int, device: torch.device) -> Recipe[Any]:
    """Replace what is automatic, but for a budget in minutes, which takes a measurement."""
    recipe = replace(
        recipe,
        precision=pick_precision(recipe.precision, device),
        layout=pick_layout(recipe.layout, device),
        threads=recipe.threads or max(1, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))),
        validation=replace(recipe.validation, best=_best(recipe)),
    )
    if recipe.length.epochs is not None:
        return with_images(recipe, max(1, round(recipe.length.epochs * pictures)))
    return recipe if recipe.length.images is None else with_images(recipe, recipe.length.images)


def with_images(recipe: Recipe[Any], images: int, validations: int = VALIDATIONS) -> Recipe[Any]:
    """The recipe with its length in images, rounded up to whole steps, and the intervals that follow from it."""
    step = recipe.batch_size * recipe.accumulate
    images = math.ceil(images / step) * step
    every = recipe.validation.every_images or math.ceil(images / validations)
    return replace(
        recipe,
        length=Length(images=images),
        validation=replace(recipe.validation, every_images=every),
        save_every_images=recipe.save_every_images or every,
    )


def _best(recipe: Recipe[Any]) -> str:
    """The metric that decides: the recipe's, else what its method's own recipe says, else the usual one."""
    name = recipe.validation.best or method_class(recipe.method).recipe().validation.best
    name = name or kit_of(recipe).usual_measure(recipe)
    if name not in MEASURES and name != LAST:
        near = get_close_matches(name, [*MEASURES, LAST], n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(MEASURES)}"
        raise ConfigurationError(f"--validation.best {name!r} is not a metric; {hint}")
    return name
