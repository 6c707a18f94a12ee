"""CGAN: both players are told the class.

Mirza and Osindero, "Conditional Generative Adversarial Nets", 2014, https://arxiv.org/abs/1411.1784.

    min_G max_D  E_x log D(x|y) + E_z log(1 - D(G(z|y)))                                                (2)

The paper's networks are multilayer perceptrons; here they are DCGAN's, with the class's embedding beside the noise and
as maps beside the picture. `--config.discriminator.condition projection` takes the inner product with the features
instead (Miyato and Koyama, "cGANs with Projection Discriminator", ICLR 2018, https://arxiv.org/abs/1802.05637).
"""

from dataclasses import dataclass

from translate.data.augmentation import Augmentation
from translate.data.domains import OneDomain
from translate.from_noise import FromNoise, FromNoiseConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class CGAN(FromNoise):
    """Learns to make samples of a class that is asked for."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """DCGAN's networks, told the class: the defaults of the parts."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """DCGAN's run on labelled pictures of 32 px."""
        return Recipe(
            method="cgan",
            config=CGAN.Config(),
            optimisers={"generator": Adam(), "discriminator": Adam()},
            length=Length(images=2_000_000),
            domains=OneDomain(labelled=True),
            augmentation=Augmentation(load_px=32, crop_px=32, flip=False, keep_aspect=True),
            batch_size=128,
            schedule=Schedule(shape="constant"),
            average_half_life_images=10_000.0,
            validation=Validation(best="kid", most=500),
        )
