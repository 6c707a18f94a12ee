"""Named, pinned runs: every method's own under its name, and the variants below under the name of their function.

The `-modern` recipes are what we would ship in 2026. The measured reason for each change is in `docs/recipes.md`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Any

from pipelines.methods import method_class, method_names
from translate.errors import ConfigurationError
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.generators import GeneratorConfig
from translate.recipe import Adam, Recipe, Schedule

NamedRecipe = Callable[[], Recipe[Any]]


def pix2pix_modern() -> Recipe[Any]:
    """Anti-aliased U-Net without dropout, hinge, spectral norm at two scales, feature matching, averaged weights."""
    recipe = method_class("pix2pix").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(norm="instance-affine", resampling="blur"),
        discriminator=DiscriminatorConfig(norm="none", scales=2, spectral_norm=True),
        objective="hinge",
        l1_weight=10.0,
        feature_weight=10.0,
        perceptual_weight=10.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers={
            "generator": Adam(learning_rate=1e-4, beta1=0.0, beta2=0.9),
            "discriminator": Adam(learning_rate=4e-4, beta1=0.0, beta2=0.9),
        },
        average_half_life_images=10_000.0,
    )


def cyclegan_modern() -> Recipe[Any]:
    """Anti-aliased ResNet-9, averaged weights, a cosine schedule."""
    recipe = method_class("cyclegan").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(kind="resnet", norm="instance", resampling="blur"),
        discriminator=DiscriminatorConfig(norm="instance", resampling="blur"),
    )
    return replace(
        recipe, config=config, average_half_life_images=10_000.0, schedule=Schedule(shape="cosine", hold=0.5)
    )


_VARIANTS: tuple[NamedRecipe, ...] = (pix2pix_modern, cyclegan_modern)


def named_recipes() -> Mapping[str, NamedRecipe]:
    """Every recipe by its name."""
    methods = {name: partial(_of_method, name) for name in method_names()}
    variants = {variant.__name__.replace("_", "-"): variant for variant in _VARIANTS}
    return {**methods, **variants}


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
