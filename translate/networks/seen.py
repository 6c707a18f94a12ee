"""What is done to samples, real and made alike, before a discriminator sees them: remedies against its overfitting.

Instance noise (Sønderby et al. 2017: both densities are smeared until they overlap), changes of pictures
(`diffaugment`), and their adaptive probability (Karras et al. 2020, "Training Generative Adversarial Networks with
Limited Data", section 3).
"""

from dataclasses import dataclass, field
from typing import get_args

import torch
from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.diffaugment import Change, augmented
from translate.networks.shapes import Shape, is_picture
from translate.ramp import HasFraction, Ramp, constantly

CALLS_BEFORE_MOVING = 4
"""Batches whose scores are gathered before the adaptive probability moves, as in the paper."""
_SIGNED_OBJECTIVES = ("minimax", "non-saturating", "hinge")
"""Where a score above 0 means "real"."""


@dataclass(frozen=True, kw_only=True)
class SeenConfig:
    """What a discriminator sees of a sample. The defaults change nothing."""

    noise: Ramp = field(default_factory=lambda: constantly(0.0))
    """Standard deviation of Gaussian noise, in the samples' units (pictures: [-1, 1]); usually falls to 0."""
    augment: tuple[Change, ...] = ()
    """Random changes of pictures: colour, translation, cutout (all three: DiffAugment)."""
    probability: Ramp = field(default_factory=lambda: constantly(1.0))
    """Of each change for each picture; R3GAN raises it from 0 to 0.3 or more. Not used where it is adaptive."""
    adaptive: bool = False
    """Let the probability follow how surely the discriminator knows real pictures (ADA), starting from 0."""
    adaptive_target: float = 0.6
    """Mean sign of the scores of real pictures that is held: 0 is a discriminator that guesses, 1 one that is sure."""
    adaptive_images: int = 500_000
    """Real pictures in which the adaptive probability can go from 0 to 1."""

    def __post_init__(self) -> None:
        """Refuse what no discriminator could see."""
        if self.noise.least < 0:
            raise ConfigurationError("--config.game.seen.noise is a standard deviation: choose 0 or more at both ends")
        if not 0 <= self.probability.least <= self.probability.most <= 1:
            raise ConfigurationError("--config.game.seen.probability: choose 0 to 1 at both ends")
        strange = [change for change in self.augment if change not in get_args(Change)]
        if strange:
            raise ConfigurationError(f"--config.game.seen.augment {strange[0]!r} is unknown: use {get_args(Change)}")
        if self.adaptive and not self.augment:
            raise ConfigurationError(
                "--config.game.seen.adaptive adapts a probability: choose changes (--config.game.seen.augment)"
            )
        if not (-1 < self.adaptive_target < 1 and self.adaptive_images > 0):
            raise ConfigurationError(
                "--config.game.seen.adaptive-target: choose -1 to 1 (0.6); "
                "--config.game.seen.adaptive-images: 1 or more"
            )

    def require_signs(self, objective: str) -> None:
        """Refuse an adaptive probability where the sign of a score says nothing, by the objective's name.

        Raises ConfigurationError that names the option.
        """
        if self.adaptive and objective not in _SIGNED_OBJECTIVES:
            raise ConfigurationError(
                f"--config.game.seen.adaptive reads a score above 0 as real, and {objective} scores have no such zero: "
                f"choose the objective {' or '.join(_SIGNED_OBJECTIVES)}, or a fixed --config.game.seen.probability"
            )

    def build(self, shape: Shape) -> "Seen":
        """The module for samples of this shape (without N): (C, H, W) pictures or (D,) vectors.

        Raises ConfigurationError where vectors shall be changed as if they were pictures.
        """
        if not is_picture(shape) and self.augment:
            raise ConfigurationError(
                f"--config.game.seen.augment {' '.join(self.augment)} changes pictures, and the samples are vectors of "
                f"{shape[0]} numbers: leave it empty (--config.game.seen.noise works for vectors)"
            )
        return Seen(config=self)


class Seen(nn.Module):
    """Samples as a discriminator sees them. Without parameters; the adaptive probability is state, saved with the rest.

    A method keeps it as a child, lets every sample pass on its way to the discriminator, in the discriminator's and in
    the generator's turn, and tells it the scores of real samples in the discriminator's turn (`adapt`).
    """

    probability: Tensor
    """The adaptive probability, a scalar."""
    _signs: Tensor
    """Sum of the signs since the probability last moved, their number, and the calls."""

    def __init__(self, *, config: SeenConfig) -> None:
        super().__init__()
        self.config = config
        if config.adaptive:
            self.register_buffer("probability", torch.zeros(()))
            self.register_buffer("_signs", torch.zeros(3))

    def forward(self, samples: Tensor, progress: HasFraction) -> Tensor:
        """Samples of the same shape, in float32 or better. N x C x H x W in [-1, 1] (may leave it), or N x D."""
        samples = samples.float() if samples.dtype in (torch.float16, torch.bfloat16) else samples
        if self.config.augment:
            samples = augmented(samples, self.config.augment, self._probability(progress))
        std = self.config.noise.at(progress)
        return samples + std * torch.randn_like(samples) if std else samples

    def _probability(self, progress: HasFraction) -> float | Tensor:
        return self.probability if self.config.adaptive else self.config.probability.at(progress)

    @torch.no_grad()
    def adapt(self, real: Tensor) -> None:
        """Learn from the scores of real samples as seen (N); nothing where the probability is not adaptive.

        Every few batches it moves up if the mean sign is above the target, else down. Scores that are not finite are
        passed over, so that a bad step leaves nothing behind. Decided on the device: a branch would make the host wait.
        """
        if not self.config.adaptive:
            return
        one = self._signs.new_ones(())
        gathered = torch.stack([real.sign().float().sum(), one * real.numel(), one])
        self._signs += torch.where(real.isfinite().all(), gathered, 0.0)
        signs, count, calls = self._signs.unbind()
        direction = torch.sign(signs / count - self.config.adaptive_target).nan_to_num()  # NaN while count is 0
        is_due = calls >= CALLS_BEFORE_MOVING
        self.probability.add_(is_due * direction * count / self.config.adaptive_images).clamp_(0.0, 1.0)
        self._signs *= ~is_due
