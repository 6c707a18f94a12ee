"""Variants of the runs that learn to tell classes apart from samples without labels. They show it in minutes."""

from dataclasses import replace
from typing import Any

from pipelines.methods import method_class
from translate.clusters import ClustersConfig
from translate.networks.class_discriminators import ClassifierDiscriminatorConfig
from translate.networks.distorted import Distortion
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.noise import Noise
from translate.optimisers import Adam
from translate.ramp import Ramp
from translate.recipe import Length, Recipe
from translate.schedule import Schedule


def infogan_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow networks at 16 px, little noise, and categories that real pictures have a say in.

    A digit that leans, turns or grows a little stays what it is. That is all that is known of them: no label is read.
    """
    recipe = method_class("infogan").recipe()
    config = replace(
        recipe.config,
        noise=replace(recipe.config.noise, size=8),
        generator=replace(recipe.config.generator, width=32, dense=256),
        discriminator=replace(recipe.config.discriminator, width=32, dense=256),
        clusters=ClustersConfig(
            agreement=1.0,
            clarity=0.2,
            distortion=Distortion(rotate_degrees=15.0, shear_degrees=20.0, scale=0.2, shift=0.08),
        ),
    )
    fast, slow = Adam(learning_rate=1e-3, beta1=0.5), Adam(learning_rate=5e-4, beta1=0.5)
    return replace(
        recipe,
        config=config,
        optimisers={"generator": fast, "discriminator": slow, "head": slow},
        augmentation=replace(recipe.augmentation, load_px=16, crop_px=16),
        batch_size=128,
        length=Length(images=384_000),
        average_half_life_images=5_000.0,
        validation=replace(recipe.validation, best="last", every_images=64_000),
    )


def sgan_small() -> Recipe[Any]:
    """For minutes on a CPU, 10 labels a class at 16 px: convolutions without norm for the published dense layers.

    Pictures without labels are moved too, and have a say in where classes part: see `entropy` and `agreement`.
    """
    recipe = method_class("sgan").recipe()
    config = replace(
        recipe.config,
        noise=Noise(size=64),
        generator=LatentGeneratorConfig(width=32),
        discriminator=ClassifierDiscriminatorConfig(
            kind="dcgan", width=32, norm="none", input_noise=0.1, noise=0.0, dropout=0.3
        ),
        labelled_batch=50,
        labelled_shift_px=1,
        unlabelled_shift_px=1,
        entropy=Ramp(start=0.0, end=0.3, until_fraction=0.2, shape="linear"),
        agreement=Ramp(start=0.0, end=1.0, until_fraction=0.2, shape="linear"),
    )
    adam = Adam(learning_rate=1e-3, beta1=0.5, beta2=0.99)
    return replace(
        recipe,
        config=config,
        optimisers=dict.fromkeys(recipe.optimisers, adam),
        augmentation=replace(recipe.augmentation, load_px=16, crop_px=16),
        batch_size=100,
        length=Length(images=200_000),
        schedule=Schedule(shape="cosine", hold=0.2, end=0.1),
        average_half_life_images=10_000.0,
        validation=replace(recipe.validation, every_images=50_000),
    )
