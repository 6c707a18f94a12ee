"""A generator from noise against one discriminator: what GAN, DCGAN, CGAN and R3GAN have in common."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, X
from translate.deploy import generation
from translate.game import Game, GameConfig
from translate.losses.gradient_penalty import GradientPenalty
from translate.method import Batch, Deploy, Method, Progress, Scored, Terms, Turn
from translate.networks.latent_generators import LatentGeneratorConfig
from translate.networks.sample_discriminators import SampleDiscriminatorConfig
from translate.noise import Noise


@dataclass(frozen=True, kw_only=True)
class FromNoiseConfig:
    """A generator from noise, its discriminator, and the game that they play."""

    noise: Noise = field(default_factory=Noise)
    """What the generator starts from."""
    generator: LatentGeneratorConfig = field(default_factory=LatentGeneratorConfig)
    """The generator."""
    discriminator: SampleDiscriminatorConfig = field(default_factory=SampleDiscriminatorConfig)
    """The discriminator."""
    game: GameConfig = field(default_factory=GameConfig)
    """The game, with its remedies."""

    def __post_init__(self) -> None:
        """Refuse a penalty that the discriminator's norm makes meaningless."""
        penalty: GradientPenalty = self.game.penalty
        penalty.require_norm(self.discriminator.norm)


class FromNoise(Method):
    """Learns to make samples like those of x, of a class where the data set has classes.

    Subclasses say what their paper chose: a Config, a recipe.
    """

    config: FromNoiseConfig

    def __init__(self, config: Any, spec: SampleSpec) -> None:  # noqa: ANN401 - each method has a Config of its own
        super().__init__(config, spec)
        shape, classes = spec.shape(X), spec.classes(LABEL)
        self.generator = self.config.generator.build(shape, self.config.noise.size, classes)
        self.discriminator = self.config.discriminator.build(shape, classes)
        self.game: Game = self.config.game.build(shape)

    def turns(self) -> tuple[Turn, ...]:
        """The discriminator k times, then the generator (Goodfellow et al. 2014, algorithm 1)."""
        steps = self.config.game.discriminator_steps
        return (
            Turn(name="discriminator", trains=(self.discriminator,), loss=self.discriminator_loss, repeats=steps),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss),
        )

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """-E log D(x) - E log(1 - D(G(z))), or what the objective has in its place, and the penalties."""
        terms, watched = self.game.discriminator_terms(
            self.discriminator, batch[X], self._fake(batch), progress, label=batch.get(LABEL)
        )
        for name, value in watched.items():
            batch.note(name, value)
        return terms

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """-E log D(G(z)), or what the objective has in its place."""
        return self.game.generator_terms(
            self.discriminator, batch[X], self._fake(batch), progress, label=batch.get(LABEL)
        )

    def _fake(self, batch: Batch) -> Tensor:
        return batch.share("fake", self.generator, lambda: self._make(batch))

    def _make(self, batch: Batch) -> Tensor:
        z = batch.share("z", (), lambda: self.config.noise.draw(len(batch[X]), batch[X].device))
        return self.generator(z, batch.get(LABEL))

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminator says of held-out samples, and of made ones."""
        label = batch.get(LABEL)
        real, fake = self.discriminator(batch[X], label), self.discriminator(self._make(batch), label)
        return {"discriminator": Scored(real=[real], fake=[fake])}

    def deploys(self) -> dict[str, Deploy]:
        """The generator."""
        return {"generate": generation(self.generator, self.config.noise.port(), self.spec)}
