"""LaMa: a network that sees the whole picture in its first layers fills large holes, at any size.

Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022,
https://arxiv.org/abs/2109.07161. Losses and game are `translate.filling`'s; here is what the paper chose.
"""

from dataclasses import dataclass, field

from translate.data.augmentation import Augmentation
from translate.data.domains import MadePairs
from translate.data.making import Holes
from translate.filling import Filling, FillingConfig
from translate.losses.gradient_penalty import GradientPenalty
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.inpainters import InpainterConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class LaMa(Filling):
    """Fast Fourier convolutions against a discriminator that knows the mask."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FillingConfig):
        """The paper's networks and weights (lama-fourier), with the perceptual loss over another network."""

        generator: InpainterConfig = field(
            default_factory=lambda: InpainterConfig(width=64, down=3, blocks=9, upsampling="transposed")
        )
        """The network that fills."""
        discriminator: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(layers=4, norm="none"))
        """The discriminator of filled pictures; without batch norm, which the gradient penalty does not bear."""
        hole_weight: float = 0.0
        """Weight of the distance to the true pixels in the hole: it would ask for the mean of all that could be."""
        adversarial_weight: float = 10.0
        """Weight of the generator's adversarial term; 0: no discriminator at all."""
        feature_weight: float = 100.0
        """Weight of feature matching inside the discriminator."""
        perceptual_weight: float = 30.0
        """Weight of the perceptual loss."""
        penalty: GradientPenalty = field(default_factory=lambda: GradientPenalty(kind="r1", gamma=0.002))
        """What holds the discriminator back: 0.001 times the squared gradient at real photos."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """A million steps of 30 crops of 256 px."""
        return Recipe(
            method="lama",
            config=LaMa.Config(),
            optimisers={
                "generator": Adam(learning_rate=1e-3, beta1=0.9),
                "discriminator": Adam(learning_rate=1e-4, beta1=0.9),
            },
            length=Length(images=1_000_000 * 30),
            domains=MadePairs(making=Holes()),
            augmentation=Augmentation(resize=False),
            batch_size=30,
            schedule=Schedule(shape="constant"),
            average_half_life_images=20_000.0,
            validation=Validation(best="perceptual"),
        )
