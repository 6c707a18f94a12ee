"""Variants of the runs that enlarge: small ones, for pixels alone and against a discriminator."""

from dataclasses import replace
from typing import Any

from pipelines.methods import method_class
from translate.data.domains import MadePairs
from translate.data.making import Degraded, Shrunk
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.enlargers import EnlargerConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe
from translate.schedule import Schedule


def compact() -> Recipe[Any]:
    """For the pixels alone: a plain row of convolutions that learns to double sizes in minutes on a CPU.

    Four times: --making.scale 4 --augmentation.crop-px 128.
    """
    recipe = method_class("srgan").recipe()
    config = replace(recipe.config, generator=EnlargerConfig(width=32, blocks=8), pixel_until=1.0)
    return replace(
        recipe,
        config=config,
        optimisers={"generator": Adam(learning_rate=1e-3, beta1=0.9, beta2=0.99)},
        length=Length(minutes=20),
        domains=MadePairs(making=Shrunk(scale=2)),
        schedule=Schedule(shape="cosine", hold=0.3),
        average_half_life_images=2_000.0,
        validation=replace(recipe.validation, most=64),
    )


def compact_degraded() -> Recipe[Any]:
    """For real small photos, which are blurred, noisy and compressed too (Wang et al. 2021, Real-ESRGAN).

    Four times: --making.scale 4 --augmentation.crop-px 128. Then against a discriminator: --start-from RUN.
    """
    return replace(compact(), domains=MadePairs(making=Degraded(scale=2)))


def compact_gan() -> Recipe[Any]:
    """The second stage of a compact run: start it from one (--start-from RUN)."""
    recipe = compact()
    config = replace(
        recipe.config,
        pixel_until=0.0,
        discriminator=DiscriminatorConfig(kind="unet", width=24, layers=3, norm="none"),
    )
    return replace(
        recipe,
        config=config,
        optimisers={
            "generator": Adam(learning_rate=2e-4, beta1=0.9, beta2=0.99),
            "discriminator": Adam(learning_rate=4e-4, beta1=0.9, beta2=0.99),
        },
    )
