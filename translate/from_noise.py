"""A generator from noise against one discriminator, with heads on its features or without."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from translate.data.domain import SampleSpec
from translate.data.domains import LABEL, X
from translate.deploy import generation
from translate.errors import ConfigurationError
from translate.game import Game, GameConfig, OnFeatures, no_heads
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
        penalty.require_norm(self.discriminator.norm, "config.game.penalty")


def require_single(discriminator: SampleDiscriminatorConfig, reader: str) -> None:
    """Raises ConfigurationError where `reader` is to read the features of one sample, and these are of a pack."""
    if discriminator.packing > 1:
        raise ConfigurationError(
            f"--config.discriminator.packing {discriminator.packing}: {reader} reads the features of one sample: "
            "choose 1"
        )


@dataclass(frozen=True, kw_only=True)
class Heads:
    """Loss terms of networks that read the discriminator's features: in its own turn, and in the generator's."""

    on_real: OnFeatures = no_heads
    """Of real samples, in the discriminator's turn."""
    on_fake: OnFeatures = no_heads
    """Of made ones, in the discriminator's turn."""
    for_generator: OnFeatures = no_heads
    """Of made ones, in the generator's turn."""


class FromNoise(Method):
    """Learns to make samples like those of x, of a class where the data set has classes.

    Subclasses say what their paper chose: a Config, a recipe; and where it has heads that read the discriminator's
    features, their terms.
    """

    config: FromNoiseConfig
    tells_discriminator: ClassVar[bool] = True
    """Whether the discriminator is told the class, where there are classes."""

    def __init__(self, config: Any, spec: SampleSpec) -> None:  # noqa: ANN401 - each method has a Config of its own
        super().__init__(config, spec)
        shape, classes = spec.shape(X), spec.classes(LABEL)
        self.generator = self.config.generator.build(shape, self.code_size(), classes)
        self.discriminator = self.config.discriminator.build(shape, classes if self.tells_discriminator else 0)
        self.game: Game = self.config.game.build(shape)

    def code_size(self) -> int:
        """Numbers that the generator is given a sample."""
        return self.config.noise.size

    def judges(self) -> tuple[nn.Module, ...]:
        """What learns in the discriminator's turn."""
        return (self.discriminator,)

    def heads(self, batch: Batch, progress: Progress) -> Heads:
        """The terms of what reads the discriminator's features; none by default."""
        return Heads()

    def turns(self) -> tuple[Turn, ...]:
        """The discriminator k times, then the generator (Goodfellow et al. 2014, algorithm 1)."""
        steps = self.config.game.discriminator_steps
        return (
            Turn(name="discriminator", trains=self.judges(), loss=self.discriminator_loss, repeats=steps),
            Turn(name="generator", trains=(self.generator,), loss=self.generator_loss),
        )

    def discriminator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """-E log D(x) - E log(1 - D(G(z))), or what the objective has in its place, and the penalties."""
        heads = self.heads(batch, progress)
        terms, watched = self.game.discriminator_terms(
            self.discriminator,
            batch[X],
            self.fake(batch),
            progress,
            label=self._told(batch),
            on_real=heads.on_real,
            on_fake=heads.on_fake,
        )
        for name, value in watched.items():
            batch.note(name, value)
        return terms

    def generator_loss(self, batch: Batch, progress: Progress) -> Terms:
        """-E log D(G(z)), or what the objective has in its place."""
        return self.game.generator_terms(
            self.discriminator,
            batch[X],
            self.fake(batch),
            progress,
            label=self._told(batch),
            on_fake=self.heads(batch, progress).for_generator,
        )

    def fake(self, batch: Batch) -> Tensor:
        """The made samples of this iteration."""
        return batch.share("fake", self.generator, lambda: self.make(batch))

    def make(self, batch: Batch) -> Tensor:
        """Samples out of the batch's noise, of its classes."""
        return self.generator(self.noise_of(batch), batch.get(LABEL))

    def noise_of(self, batch: Batch) -> Tensor:
        """The noise of this iteration, N x size."""
        return batch.share("z", (), lambda: self.config.noise.draw(len(batch[X]), batch[X].device))

    def _told(self, batch: Batch) -> Tensor | None:
        return batch.get(LABEL) if self.tells_discriminator else None

    def scores(self, batch: Batch) -> dict[str, Scored]:
        """What the discriminator says of held-out samples, and of made ones."""
        label = self._told(batch)
        real, fake = self.discriminator(batch[X], label), self.discriminator(self.make(batch), label)
        return {"discriminator": Scored(real=[real], fake=[fake])}

    def deploys(self) -> dict[str, Deploy]:
        """The generator."""
        return {"generate": generation(self.generator, self.config.noise.port(), self.spec)}
