"""Variants of the runs that generate. The `-small` ones show something in minutes on one CPU core."""

from dataclasses import replace
from typing import Any

from pipelines.methods import method_class
from translate.game import GameConfig
from translate.losses.gradient_penalty import GradientPenalty
from translate.networks.encoders import EncoderConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise
from translate.optimisers import Adam
from translate.recipe import Length, Recipe
from translate.schedule import Schedule


def gan_small() -> Recipe[Any]:
    """For minutes on a CPU, digits of 28 px: narrow perceptrons, R3GAN's game."""
    recipe = method_class("gan").recipe()
    config = replace(
        recipe.config,
        noise=replace(recipe.config.noise, size=50),
        generator=replace(recipe.config.generator, widths=(512, 512), norm="batch"),
        discriminator=SampleDiscriminatorConfig(kind="mlp", widths=(512, 256), norm="none"),
        game=_modern_game(),
    )
    modern = {**_small_modern(recipe), "augmentation": recipe.augmentation}
    return replace(recipe, config=config, **modern)


def gan_points() -> Recipe[Any]:
    """For points (`pixturn example gaussians`): narrow perceptrons, Adam as DCGAN's; it loses modes."""
    recipe = method_class("gan").recipe()
    config = replace(
        recipe.config,
        noise=Noise(size=2),
        generator=LatentGeneratorConfig(kind="mlp", widths=(256, 256, 256), norm="none"),
        discriminator=SampleDiscriminatorConfig(kind="mlp", widths=(256, 256, 256), norm="none"),
    )
    adam = Adam(learning_rate=1e-3)
    return replace(
        recipe,
        config=config,
        optimisers={"generator": adam, "discriminator": adam},
        batch_size=256,
        length=Length(images=3_000_000),
        schedule=Schedule(shape="cosine", hold=0.0),
        validation=replace(recipe.validation, best="last", most=2000),
    )


def r3gan_points() -> Recipe[Any]:
    """For points (`pixturn example gaussians`): the same networks, relativistic pairing with both penalties."""
    recipe = method_class("r3gan").recipe()
    plain = gan_points()
    config = replace(
        recipe.config,
        noise=plain.config.noise,
        generator=plain.config.generator,
        discriminator=plain.config.discriminator,
        game=GameConfig(objective="relativistic", penalty=GradientPenalty(kind="r1+r2", gamma=0.02)),
    )
    adam = Adam(learning_rate=1e-3, beta1=0.0, beta2=0.99)
    return replace(
        recipe,
        config=config,
        optimisers={"generator": adam, "discriminator": adam},
        batch_size=256,
        length=Length(images=8_000_000),
        schedule=Schedule(shape="cosine", hold=0.0),
        average_half_life_images=200_000.0,
        validation=replace(recipe.validation, best="last", most=2000),
    )


def dcgan_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow networks at 32 px, averaged weights."""
    recipe = method_class("dcgan").recipe()
    return replace(recipe, config=_narrow(recipe.config), **_small(recipe))


def cgan_small() -> Recipe[Any]:
    """For minutes on a CPU, of pictures with classes: narrow networks at 32 px, R3GAN's game, a projection."""
    recipe = method_class("cgan").recipe()
    config = _narrow(recipe.config)
    discriminator = replace(config.discriminator, condition="projection", norm="none")
    return replace(
        recipe, config=replace(config, discriminator=discriminator, game=_modern_game()), **_small_modern(recipe)
    )


def r3gan_small() -> Recipe[Any]:
    """For minutes on a CPU: R3GAN's game between DCGAN's narrow networks at 32 px, the discriminator without norm."""
    recipe = method_class("r3gan").recipe()
    config = replace(
        recipe.config,
        generator=LatentGeneratorConfig(width=32),
        discriminator=SampleDiscriminatorConfig(width=32, norm="none"),
        game=_modern_game(),
    )
    return replace(recipe, config=config, **_small_modern(recipe))


def _modern_game() -> GameConfig:
    """Relativistic pairing with both penalties: `docs/recipes.md` says what it gained over DCGAN's game."""
    return GameConfig(objective="relativistic", penalty=GradientPenalty(kind="r1+r2", gamma=0.5))


def _small_modern(recipe: Recipe[Any]) -> dict[str, Any]:
    adam = Adam(learning_rate=1e-3, beta1=0.0, beta2=0.99)
    return {
        **_small(recipe),
        "optimisers": {"generator": adam, "discriminator": adam},
        "schedule": Schedule(shape="cosine", hold=0.2, end=0.1),
        "average_half_life_images": 10_000.0,
    }


def autoencoder_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow convolutions at 32 px, averaged weights."""
    return _convolutional(method_class("autoencoder").recipe())


def vae_small() -> Recipe[Any]:
    """For minutes on a CPU: narrow convolutions at 32 px, averaged weights."""
    return _convolutional(method_class("vae").recipe())


def _convolutional(recipe: Recipe[Any]) -> Recipe[Any]:
    encoder = EncoderConfig(kind="dcgan", width=32)
    decoder = LatentGeneratorConfig(kind="dcgan", width=32, resampling="nearest")
    config = replace(recipe.config, encoder=encoder, decoder=decoder, latent=20)
    return replace(recipe, config=config, **{**_small(recipe), "length": Length(images=60_000)})


def _narrow(config: Any) -> Any:  # noqa: ANN401 - a Config of dcgan or of cgan
    return replace(
        config,
        noise=Noise(size=64),
        generator=replace(config.generator, width=32),
        discriminator=replace(config.discriminator, width=32),
    )


def _small(recipe: Recipe[Any]) -> dict[str, Any]:
    return {
        "augmentation": replace(recipe.augmentation, load_px=32, crop_px=32),
        "batch_size": 64,
        "length": Length(images=150_000),
        "average_half_life_images": 5_000.0,
    }


def acgan_small() -> Recipe[Any]:
    """For minutes on a CPU, of pictures with classes: narrow networks at 32 px, R3GAN's game beside the classifier.

    The classifier learns from real pictures alone.
    """
    recipe = method_class("acgan").recipe()
    narrow = _narrow(recipe.config)
    discriminator = replace(narrow.discriminator, norm="none", dropout=0.0)
    config = replace(narrow, discriminator=discriminator, game=_modern_game(), made_share=0.0)
    small = _small_modern(recipe)
    return replace(
        recipe,
        config=config,
        **{
            **small,
            "optimisers": {**small["optimisers"], "classifier": small["optimisers"]["discriminator"]},
            "length": Length(images=120_000),
            "validation": replace(recipe.validation, every_images=30_000),
        },
    )
