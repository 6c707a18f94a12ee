"""Named, pinned runs: every method's own under its name, and the variants under the name of their function.

A public function of a module here that takes nothing and is annotated to return a Recipe is one of them; nothing lists
them.
"""

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, get_origin

from pipelines.methods import method_class, method_names
from pipelines.recipes import enlarging, generating, restoring, translating, unlabelled
from translate.errors import ConfigurationError
from translate.recipe import Recipe

NamedRecipe = Callable[[], Recipe[Any]]


def named_recipes() -> Mapping[str, NamedRecipe]:
    """Every recipe by its name."""
    methods = {name: partial(_of_method, name) for name in method_names()}
    return {**methods, **_variants()}


def _variants() -> Mapping[str, NamedRecipe]:
    """The public functions that make a recipe out of nothing."""
    return {
        name.replace("_", "-"): value
        for module in (translating, enlarging, restoring, generating, unlabelled)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and not name.startswith("_") and _makes_a_recipe(value)
    }


def _makes_a_recipe(function: Callable[..., object]) -> bool:
    signature = inspect.signature(function)
    return not signature.parameters and get_origin(signature.return_annotation) is Recipe


def recipe_named(name: str) -> Recipe[Any]:
    """A recipe by its name. Raises ConfigurationError with the nearest name for one that is not there."""
    recipes = named_recipes()
    if name not in recipes:
        near = get_close_matches(name, recipes, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(recipes)}"
        raise ConfigurationError(f"There is no recipe {name!r}; {hint}")
    return recipes[name]()


def _of_method(name: str) -> Recipe[Any]:
    return method_class(name).recipe()
