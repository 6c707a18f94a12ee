"""Variants of the runs that translate.

The `-modern` recipes are what we would ship in 2026. The measured reason for each change is in `docs/recipes.md`.
"""

from dataclasses import replace
from typing import Any

from pipelines.methods import method_class
from translate.data.augmentation import Augmentation
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.generators import GeneratorConfig
from translate.optimisers import Adam, Optimiser
from translate.recipe import Recipe


def pix2pix_modern() -> Recipe[Any]:
    """U-Net with nearest enlargement and without dropout, hinge, spectral norm, perceptual loss, averaged weights."""
    recipe = method_class("pix2pix").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(resampling="nearest"),
        discriminator=DiscriminatorConfig(norm="none", spectral_norm=True),
        objective="hinge",
        perceptual_weight=4.0,
    )
    return replace(recipe, config=config, average_half_life_images=10_000.0)


def cyclegan_modern() -> Recipe[Any]:
    """ResNet-9 with batch norm and nearest enlargement; hinge, spectral norm at two scales; averaged weights."""
    recipe = method_class("cyclegan").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(kind="resnet", norm="batch", resampling="nearest"),
        discriminator=DiscriminatorConfig(norm="none", spectral_norm=True, scales=2),
        objective="hinge",
        cycle_weight=5.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers=_with_discriminators_at_4e_4(generators=2e-4),
        batch_size=4,
        average_half_life_images=10_000.0,
    )


def pix2pix_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow networks that learn the difference to the input, at batch size 16."""
    recipe = method_class("pix2pix").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(width=32, resampling="nearest", difference=True),
        discriminator=DiscriminatorConfig(width=32, layers=2),
        adversarial_weight=0.1,
        perceptual_weight=4.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers={"generator": Adam(learning_rate=1e-3), "discriminator": Adam(learning_rate=2e-4)},
        augmentation=Augmentation(load_px=72, crop_px=64, scale_jitter=0.15, rotate_degrees=10.0),
        batch_size=16,
        average_half_life_images=2_000.0,
        validation=replace(recipe.validation, most=64),
    )


def cyclegan_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow networks that learn the difference to the input; discriminators that see colours."""
    recipe = method_class("cyclegan").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(
            kind="resnet", width=16, blocks=3, norm="batch", resampling="nearest", difference=True
        ),
        discriminator=DiscriminatorConfig(width=24, layers=1, scales=2, norm="none", spectral_norm=True),
        objective="hinge",
        cycle_weight=5.0,
        identity_weight=0.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers=_with_discriminators_at_4e_4(generators=5e-4),
        augmentation=Augmentation(load_px=64, crop_px=64, vertical_flip=True),
        batch_size=4,
        average_half_life_images=2_000.0,
    )


def _with_discriminators_at_4e_4(*, generators: float) -> dict[str, Optimiser]:
    slow, fast = Adam(learning_rate=generators), Adam(learning_rate=4e-4)
    return {"generator_ab": slow, "generator_ba": slow, "discriminator_a": fast, "discriminator_b": fast}
