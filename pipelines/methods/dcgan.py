"""DCGAN: convolutions all the way, with batch norm, for stable training of pictures.

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks", ICLR 2016, https://arxiv.org/abs/1511.06434.

Section 3: strided convolutions instead of pooling; batch norm in both networks, but not at the generator's output nor
the discriminator's input; no hidden dense layers; ReLU and a tanh at the end in the generator, LeakyReLU 0.2 in the
discriminator. Section 4: weights from N(0, 0.02), Adam at 2e-4 with beta1 0.5, batches of 128.
"""

from dataclasses import dataclass

from translate.data.augmentation import Augmentation
from translate.data.domains import OneDomain
from translate.from_noise import FromNoise, FromNoiseConfig
from translate.optimisers import Adam
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class DCGAN(FromNoise):
    """Learns to make square pictures of 8, 16, 32, ... px out of noise."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """The paper's networks at 64 px: the defaults of the parts."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run at 64 px: Adam at one rate throughout, batches of 128."""
        return Recipe(
            method="dcgan",
            config=DCGAN.Config(),
            optimisers={"generator": Adam(), "discriminator": Adam()},
            length=Length(epochs=25),
            domains=OneDomain(),
            augmentation=Augmentation(load_px=64, crop_px=64, flip=False, keep_aspect=True),
            batch_size=128,
            schedule=Schedule(shape="constant"),
            validation=Validation(best="kid", most=500),
        )
