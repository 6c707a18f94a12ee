"""R3GAN: relativistic pairing, held by both zero-centred penalties; the modern default of the line.

Huang, Gokaslan, Kuleshov and Tompkin, "The GAN is dead; long live the GAN! A Modern Baseline GAN", NeurIPS 2024,
https://arxiv.org/abs/2501.05441.

    min_G max_D  E f(D(G(z)) - D(x)),  f(t) = -log(1 + e^-t)                                            (2)
    R1 = gamma / 2 E_x |grad D(x)|^2,  R2 = gamma / 2 E_z |grad D(G(z))|^2                               (3, 4)

Each made sample is compared with a real one, so that no mode can be left out; both penalties together make the game
converge. No normalisation anywhere, Adam without momentum, and over a burn-in the rate and gamma fall by a cosine
while the decay of squared gradients rises (appendix C, table 9). The penalties are taken at every step: taken at every
eighth, the paper saw runs fail.
"""

from dataclasses import dataclass, field

from translate.data.augmentation import Augmentation
from translate.data.domains import OneDomain
from translate.from_noise import FromNoise, FromNoiseConfig
from translate.game import GameConfig
from translate.losses.gradient_penalty import GradientPenalty
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise
from translate.optimisers import Adam
from translate.ramp import Ramp
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule

BURN_IN = 0.2
"""Part of the run over which rate and penalty fall, and beta2 rises."""


class R3GAN(FromNoise):
    """Learns to make samples that cover every mode of the data."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """Residual networks without normalisation."""

        noise: Noise = field(default_factory=lambda: Noise(size=64))
        """What the generator starts from."""
        generator: LatentGeneratorConfig = field(
            default_factory=lambda: LatentGeneratorConfig(kind="r3", norm="none", width=64)
        )
        """The generator."""
        discriminator: SampleDiscriminatorConfig = field(
            default_factory=lambda: SampleDiscriminatorConfig(kind="r3", norm="none", width=64, condition="projection")
        )
        """The discriminator."""
        game: GameConfig = field(
            default_factory=lambda: GameConfig(
                objective="relativistic",
                penalty=GradientPenalty(kind="r1+r2", gamma=0.1),
                penalty_factor=Ramp(start=10.0, end=1.0, until_fraction=BURN_IN),
            )
        )
        """The game."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run on stacked digits: 10 million images in batches of 512; gamma from 1 to 0.1."""
        adam = Adam(learning_rate=2e-4, beta1=0.0, beta2=0.99, beta2_start=0.9, beta2_until=BURN_IN)
        return Recipe(
            method="r3gan",
            config=R3GAN.Config(),
            optimisers={"generator": adam, "discriminator": adam},
            length=Length(images=10_000_000),
            domains=OneDomain(),
            augmentation=Augmentation(load_px=32, crop_px=32, flip=False, keep_aspect=True),
            batch_size=512,
            schedule=Schedule(shape="cosine", hold=0.0, until=BURN_IN, end=0.25),
            average_half_life_images=500_000.0,
            validation=Validation(best="kid", most=500),
        )
