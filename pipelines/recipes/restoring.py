"""Variants of the runs that repair and colour: recipes of the methods for pairs and for holes, on photos alone."""

from dataclasses import replace
from typing import Any

from pipelines.methods import method_class
from translate.data.augmentation import Augmentation
from translate.data.domains import MadePairs
from translate.data.making import Degraded, Grey
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.generators import GeneratorConfig
from translate.networks.inpainters import InpainterConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe
from translate.schedule import Schedule


def colourise() -> Recipe[Any]:
    """pix2pix from grey photos to their colours, in Lab: the lightness stays."""
    recipe = method_class("pix2pix").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(width=32, depth=5, resampling="nearest", colours="lab"),
        discriminator=DiscriminatorConfig(width=32, layers=2),
        adversarial_weight=0.3,
        perceptual_weight=4.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers={"generator": Adam(learning_rate=5e-4), "discriminator": Adam(learning_rate=2e-4)},
        length=Length(minutes=25),
        domains=MadePairs(making=Grey()),
        augmentation=Augmentation(load_px=128, crop_px=128, keep_aspect=True, scale_jitter=0.3),
        batch_size=8,
        average_half_life_images=2_000.0,
        validation=replace(recipe.validation, most=64),
    )


def restore() -> Recipe[Any]:
    """pix2pix from photos with JPEG's blocks, noise and blur to clean ones: the difference is learnt."""
    recipe = method_class("pix2pix").recipe()
    config = replace(
        recipe.config,
        generator=GeneratorConfig(
            kind="resnet", width=16, blocks=4, norm="none", resampling="nearest", difference=True
        ),
        discriminator=DiscriminatorConfig(width=32, layers=2),
        adversarial_weight=0.1,
        perceptual_weight=4.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers={"generator": Adam(learning_rate=5e-4), "discriminator": Adam(learning_rate=2e-4)},
        length=Length(minutes=25),
        domains=MadePairs(making=Degraded.mild()),
        augmentation=Augmentation(resize=False, crop_px=96, load_px=96, vertical_flip=True),
        batch_size=16,
        average_half_life_images=2_000.0,
        validation=replace(recipe.validation, best="psnr", most=64),
    )


def lama_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow networks; the distance in the hole has a say too, and a faint discriminator."""
    recipe = method_class("lama").recipe()
    config = replace(
        recipe.config,
        generator=InpainterConfig(width=16, down=3, blocks=4, base="surroundings"),
        discriminator=DiscriminatorConfig(width=24, layers=3, norm="none", spectral_norm=True),
        hole_weight=10.0,
        known_weight=0.0,  # it would hold the network at the plain filling, which is right everywhere but in the hole
        adversarial_weight=0.05,
        feature_weight=0.0,
        perceptual_weight=1.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers={
            "generator": Adam(learning_rate=1e-3, beta1=0.9),
            "discriminator": Adam(learning_rate=2e-4, beta1=0.5),
        },
        length=Length(minutes=25),
        augmentation=Augmentation(load_px=144, crop_px=128, keep_aspect=True, scale_jitter=0.3),
        batch_size=8,
        schedule=Schedule(shape="cosine", hold=0.3),
        average_half_life_images=1_000.0,
        validation=replace(recipe.validation, most=64),
    )


def inpaint_small() -> Recipe[Any]:
    """The U-Net that ships, first stage: the squared distance in the hole teaches it what a smooth filling lacks.

    By the plain distance it stays at that filling. Its photos come whole and small (`pixturn example photos DIR
    --whole-px 288`): in tiles of larger ones most holes lie in plain sky or grass, which leave nothing to learn.
    """
    recipe = method_class("lama").recipe()
    config = replace(
        recipe.config,
        generator=InpainterConfig(kind="unet", width=24, down=6, upsampling="nearest", base="surroundings"),
        reconstruction="l2",
        hole_weight=30.0,
        known_weight=0.0,  # nothing is seen of it
        adversarial_weight=0.0,
        feature_weight=0.0,
        perceptual_weight=0.0,
    )
    return replace(
        recipe,
        config=config,
        optimisers={"generator": Adam(learning_rate=3e-4, beta1=0.9)},
        length=Length(minutes=10),
        augmentation=Augmentation(load_px=232, crop_px=192, keep_aspect=True, scale_jitter=0.2),
        batch_size=6,
        schedule=Schedule(shape="cosine", hold=0.3),
        average_half_life_images=2_000.0,
        # The perceptual distance rises at first, and would hand weights that learnt nothing yet to the second stage.
        validation=replace(recipe.validation, best="psnr", most=64),
    )


def inpaint_small_perceptual() -> Recipe[Any]:
    """The U-Net that ships, second stage (`--start-from` a run of the first): the plain distance and the features."""
    recipe = inpaint_small()
    config = replace(recipe.config, reconstruction="l1", hole_weight=10.0, perceptual_weight=1.0)
    validation = replace(recipe.validation, best="perceptual")
    return replace(recipe, config=config, length=Length(minutes=40), validation=validation)
