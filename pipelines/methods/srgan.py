"""SRGAN: a residual network that enlarges by pixel shuffle, then learns to be taken for a photo.

Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017,
https://arxiv.org/abs/1609.04802. The two stages and their losses are `translate.enlarging`'s; here is what the paper
chose. Its blocks have batch norm; without it, as in EDSR (Lim et al. 2017) and the published SRResNet of BasicSR, the
network is better and faster, so that is the default.
"""

from dataclasses import dataclass, field

from translate.data.augmentation import Augmentation
from translate.data.domains import MadePairs
from translate.data.making import Shrunk
from translate.enlarging import Enlarging, EnlargingConfig
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.enlargers import EnlargerConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class SRGAN(Enlarging):
    """SRResNet, for the pixels first, then against a discriminator."""

    @dataclass(frozen=True, kw_only=True)
    class Config(EnlargingConfig):
        """The paper's network."""

        generator: EnlargerConfig = field(
            default_factory=lambda: EnlargerConfig(kind="srresnet", width=64, blocks=16, base="bilinear")
        )
        """The network that enlarges."""
        discriminator: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(layers=4))
        """The discriminator of large pictures; in place of the paper's, which takes crops of one size, a PatchGAN."""
        pixel_until: float = 1 / 1.2
        """Part of the run (0 to 1) that is the first stage: 1,000,000 of 1,200,000 steps. 1: pixels alone, and no
        discriminator at all; 0: none of it, for a run that starts from one (--start-from)."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """Enlarging 4 times: 1.2 million steps of 16 crops of 96 px, the rate a tenth in the last 100,000."""
        adam = Adam(learning_rate=1e-4, beta1=0.9, beta2=0.999)
        return Recipe(
            method="srgan",
            config=SRGAN.Config(),
            optimisers={"generator": adam, "discriminator": adam},
            length=Length(images=1_200_000 * 16),
            domains=MadePairs(making=Shrunk(scale=4)),
            augmentation=Augmentation(resize=False, crop_px=96, load_px=96, vertical_flip=True),
            batch_size=16,
            schedule=Schedule(shape="linear", hold=1.1 / 1.2, until=1.1 / 1.2 + 1e-6, end=0.1),
            average_half_life_images=10_000.0,
            validation=Validation(best="last"),
        )
