"""ESRGAN: dense blocks within residuals, and a discriminator that says which of two pictures is the more real.

Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", ECCV workshops 2018,
https://arxiv.org/abs/1809.00219. The two stages and their losses are `translate.enlarging`'s; here is what the paper
chose.
"""

from dataclasses import dataclass, field

from translate.data.augmentation import Augmentation
from translate.data.domains import MadePairs
from translate.data.making import Shrunk
from translate.enlarging import Enlarging, EnlargingConfig
from translate.losses.adversarial import ObjectiveName
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.enlargers import EnlargerConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class ESRGAN(Enlarging):
    """RRDB, for the pixels first, then against a relativistic average discriminator."""

    @dataclass(frozen=True, kw_only=True)
    class Config(EnlargingConfig):
        """The paper's network and weights."""

        generator: EnlargerConfig = field(
            default_factory=lambda: EnlargerConfig(kind="rrdb", width=64, blocks=23, growth=32, base="none")
        )
        """The network that enlarges."""
        discriminator: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(layers=4))
        """The discriminator of large pictures; in place of the paper's, which takes crops of one size, a PatchGAN."""
        pixel_until: float = 1.0 / 1.4
        """Part of the run (0 to 1) that is the first stage: 1,000,000 of 1,400,000 steps. 1: pixels alone, and no
        discriminator at all; 0: none of it, for a run that starts from one (--start-from)."""
        objective: ObjectiveName = "relativistic-average"
        """The adversarial game."""
        reconstruction_weight: float = 0.01
        """Weight of the distance to the true pixels in the second stage; in the first it stands alone."""
        adversarial_weight: float = 0.005
        """Weight of the generator's adversarial term."""
        perceptual_weight: float = 1.0
        """Weight of the perceptual loss in the second stage."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """Enlarging 4 times: 1.4 million steps of 16 crops of 128 px."""
        adam = Adam(learning_rate=1e-4, beta1=0.9, beta2=0.99)
        return Recipe(
            method="esrgan",
            config=ESRGAN.Config(),
            optimisers={"generator": adam, "discriminator": adam},
            length=Length(images=1_400_000 * 16),
            domains=MadePairs(making=Shrunk(scale=4)),
            augmentation=Augmentation(resize=False, crop_px=128, load_px=128, vertical_flip=True),
            batch_size=16,
            schedule=Schedule(shape="cosine", hold=0.5, end=0.0625),
            average_half_life_images=10_000.0,
            validation=Validation(best="last"),
        )
