"""GAN: a generator that learns from a discriminator what real samples look like.

Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville and Bengio, "Generative Adversarial Nets",
NeurIPS 2014, https://arxiv.org/abs/1406.2661.

    min_G max_D  V(D, G) = E_x log D(x) + E_z log(1 - D(G(z)))                                          (1)

For a fixed generator the best discriminator is D*(x) = p_data(x) / (p_data(x) + p_g(x)) (proposition 1), and
V(D*, G) = -log 4 + 2 JSD(p_data || p_g), which has its only minimum, -log 4, where p_g = p_data (theorem 1). A test
holds both on densities that are known.
"""

from dataclasses import dataclass, field

from translate.data.augmentation import Augmentation
from translate.data.domains import OneDomain
from translate.from_noise import FromNoise, FromNoiseConfig
from translate.game import GameConfig
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise
from translate.optimisers import SGD
from translate.recipe import Length, Recipe, Validation
from translate.schedule import Schedule


class GAN(FromNoise):
    """Learns to make samples out of noise, of pictures or of points."""

    @dataclass(frozen=True, kw_only=True)
    class Config(FromNoiseConfig):
        """The paper's networks for MNIST: a multilayer perceptron against maxout units with dropout."""

        noise: Noise = field(default_factory=lambda: Noise(size=100, distribution="uniform"))
        """What the generator starts from."""
        generator: LatentGeneratorConfig = field(
            default_factory=lambda: LatentGeneratorConfig(kind="mlp", widths=(1200, 1200), norm="none")
        )
        """The generator."""
        discriminator: SampleDiscriminatorConfig = field(
            default_factory=lambda: SampleDiscriminatorConfig(
                kind="maxout", widths=(240, 240), pieces=5, norm="none", input_dropout=0.2, dropout=0.5
            )
        )
        """The discriminator."""
        game: GameConfig = field(default_factory=GameConfig)
        """The game; `minimax` is equation 1, `non-saturating` what the paper trained with (section 3)."""

    @staticmethod
    def recipe() -> Recipe[Config]:
        """The paper's run on digits of 28 px: gradient descent with momentum at a rate that falls.

        The published code multiplies the rate by 1 / 1.000004 a step and raises the momentum from 0.5 to 0.7; here the
        rate falls by a cosine, and the momentum stays.
        """
        # The paper's 0.1 is for pixels in [0, 1]; in [-1, 1] their squared norm is eight times as large: it diverges.
        sgd = SGD(learning_rate=0.01, momentum=0.5)
        return Recipe(
            method="gan",
            config=GAN.Config(),
            optimisers={"generator": sgd, "discriminator": sgd},
            length=Length(images=1_000_000),
            domains=OneDomain(),
            augmentation=Augmentation(load_px=28, crop_px=28, flip=False, keep_aspect=True),
            batch_size=100,
            schedule=Schedule(shape="cosine", hold=0.0),
            validation=Validation(most=500),
        )
