"""The two sides of the game between a generator from noise and a discriminator, with remedies for any method.

The remedies that are part of a network (packing, minibatch statistics, dropout, noise between layers, spectral norm)
are in the discriminator's own configuration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from torch import Tensor, nn

from translate.errors import require
from translate.losses.adversarial import OBJECTIVES, ObjectiveName, smoothed
from translate.losses.features import mean_matching
from translate.losses.gradient_penalty import GradientPenalty
from translate.losses.unrolled import Judge, unrolled
from translate.networks.sample_discriminators import SampleDiscriminator
from translate.networks.seen import SeenConfig
from translate.networks.shapes import Shape
from translate.ramp import HasFraction, Ramp, constantly

REAL: Final = "D(x)"
FAKE: Final = "D(G(z))"
"""Figures of a run: what the discriminator says of real and of made samples, 1/2 where it cannot tell them."""
LOG_ODDS: Final = ("minimax", "non-saturating")
"""Objectives whose scores are the log odds of being real."""

Terms = Mapping[str, Tensor]
OnFeatures = Callable[[Tensor], Terms]
"""Terms of heads that read the discriminator's features of one batch, N x F."""


def no_heads(_: Tensor) -> Terms:
    """Nothing reads the features."""
    return {}


@dataclass(frozen=True, kw_only=True)
class GameConfig:
    """What is played."""

    objective: ObjectiveName = "non-saturating"
    """The adversarial game."""
    real_target: float = 1.0
    """What the discriminator is to say of real samples; 0.9 is one-sided label smoothing (Salimans et al. 2016)."""
    penalty: GradientPenalty = field(default_factory=GradientPenalty)
    """What holds the discriminator back."""
    penalty_factor: Ramp = field(default_factory=lambda: constantly(1.0))
    """Of the penalty's gamma over the run; R3GAN's falls from 10 to 1."""
    discriminator_steps: int = 1
    """Steps of the discriminator, each on a batch of its own, for one of the generator; k in Goodfellow et al. 2014."""
    seen: SeenConfig = field(default_factory=SeenConfig)
    """What is done to samples before the discriminator sees them."""
    feature_matching_weight: float = 0.0
    """Weight of the distance between mean features of made and of real samples (Salimans et al. 2016); 0: none."""
    unrolled_steps: int = 0
    """Steps of the discriminator that the generator looks ahead (Metz et al. 2017); 0: none."""
    unrolled_learning_rate: float = 0.1
    """Of those steps, which are plain gradient descent."""

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        require(self.discriminator_steps >= 1, "config.game.discriminator-steps", self.discriminator_steps, "1 or more")
        require(self.unrolled_steps >= 0, "config.game.unrolled-steps", self.unrolled_steps, "0 or more")
        weight = self.feature_matching_weight
        require(weight >= 0, "config.game.feature-matching-weight", weight, "0 or more")
        self.seen.require_signs(self.objective)

    def build(self, shape: Shape) -> "Game":
        """The game for samples of this shape. Raises ConfigurationError for remedies that do not fit it."""
        return Game(config=self, shape=shape)


class Game(nn.Module):
    """Gives the loss terms of both sides; without parameters, but with what `seen` remembers."""

    def __init__(self, *, config: GameConfig, shape: Shape) -> None:
        super().__init__()
        self.config = config
        self.objective = smoothed(OBJECTIVES[config.objective], real_target=config.real_target)
        self.seen = config.seen.build(shape)

    def discriminator_terms(
        self,
        discriminator: SampleDiscriminator,
        real: Tensor,
        fake: Tensor,
        progress: HasFraction,
        *,
        label: Tensor | None = None,
        on_real: OnFeatures = no_heads,
        on_fake: OnFeatures = no_heads,
    ) -> tuple[Terms, Terms]:
        """What the discriminator minimises; and to watch, D(x) and D(G(z)) where its scores are log odds.

        Args:
            discriminator: of N x *shape samples.
            real: real samples.
            fake: made ones, as many.
            progress: how far the run is.
            label: N classes, of the real samples and of the made ones alike; None without classes.
            on_real: terms of heads that read the features of the real samples.
            on_fake: the same of the made ones.
        """
        real, fake = self.seen(real, progress), self.seen(fake, progress)
        of_real, of_fake = discriminator.features(real, label), discriminator.features(fake, label)
        score, fake_score = discriminator.score(of_real, label), discriminator.score(of_fake, label)
        self.seen.adapt(score)
        factor = self.config.penalty_factor.at(progress)
        terms = {
            "adversarial": self.objective.discriminator(score, fake_score),
            **self.config.penalty.terms(_given(discriminator, label), real, fake, factor=factor),
            **on_real(of_real),
            **on_fake(of_fake),
        }
        watched = {REAL: score.sigmoid(), FAKE: fake_score.sigmoid()}
        return terms, watched if self.config.objective in LOG_ODDS else {}

    def generator_terms(
        self,
        discriminator: SampleDiscriminator,
        real: Tensor,
        fake: Tensor,
        progress: HasFraction,
        *,
        label: Tensor | None = None,
        on_fake: OnFeatures = no_heads,
    ) -> Terms:
        """What the generator minimises; the arguments are those of `discriminator_terms`."""
        seen = self.seen(fake, progress)

        def real_seen() -> Tensor:
            return self.seen(real, progress)

        @cache
        def of_fake() -> Tensor:
            """Only where something reads it: a discriminator that looks ahead has features of its own."""
            return discriminator.features(seen, label)

        terms = dict(self._adversarial(discriminator, real_seen, seen, of_fake, label))
        if on_fake is not no_heads:
            terms |= on_fake(of_fake())
        weight = self.config.feature_matching_weight
        if weight:
            terms["features"] = weight * mean_matching(of_fake(), discriminator.features(real_seen(), label))
        return terms

    def _adversarial(
        self,
        discriminator: SampleDiscriminator,
        real: Callable[[], Tensor],
        fake: Tensor,
        of_fake: Callable[[], Tensor],
        label: Tensor | None,
    ) -> Terms:
        if not self.config.unrolled_steps:
            score = discriminator.score(of_fake(), label)
            return {"adversarial": self.objective.generator(score, lambda: discriminator(real(), label))}
        seen = real()
        judge = _given(
            unrolled(
                discriminator,
                lambda opponent: self._contest(_given(opponent, label), seen, fake),
                steps=self.config.unrolled_steps,
                learning_rate=self.config.unrolled_learning_rate,
            ),
            label,
        )
        return {"adversarial": self.objective.generator(judge(fake), lambda: judge(seen))}

    def _contest(self, judge: Judge, real: Tensor, fake: Tensor) -> Tensor:
        return self.objective.discriminator(judge(real), judge(fake))


def _given(judge: Judge, label: Tensor | None) -> Judge:
    def of(samples: Tensor) -> Tensor:
        return judge(samples, label)

    return of
