"""A gradient penalty as configuration: what holds a discriminator back, by name and weight."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from translate.errors import ConfigurationError
from translate.losses.penalty import (
    approximate_penalty,
    approximate_weight,
    wgan_gp_penalty,
    zero_centred_penalty,
)
from translate.losses.scores import Discriminator

PenaltyKind = Literal["none", "r1", "r1+r2", "wgan-gp"]
_ZERO_CENTRED: Mapping[PenaltyKind, tuple[str, ...]] = {
    "none": (),
    "r1": ("r1",),
    "r1+r2": ("r1", "r2"),
    "wgan-gp": (),
}
"""Which pictures' gradients are to be zero: r1 of real ones, r2 of made ones."""


@dataclass(frozen=True, kw_only=True)
class GradientPenalty:
    """Penalises the discriminator's gradient with respect to the pictures; its norm may then not be batch."""

    kind: PenaltyKind = "none"
    """r1 on real pictures, r2 on made ones (relativistic pairing wants both), wgan-gp between them."""
    gamma: float = 1.0
    """r1 and r2 weigh gamma / 2, wgan-gp weighs gamma (its paper takes 10)."""
    approximate: bool = False
    """r1 and r2 by finite differences: no double backward, so that it works with --compile."""
    sigma: float = 0.01
    """Standard deviation of the finite differences' noise, in the pictures' range [-1, 1]."""

    def terms(
        self, discriminator: Discriminator, real: Tensor, fake: Tensor, *, factor: float = 1.0
    ) -> Mapping[str, Tensor]:
        """The weighted penalties by name; nothing for `none`.

        Args:
            discriminator: gives the scores of N samples; bind a condition: `lambda x: discriminator(x, label)`.
            real: what the discriminator saw of real ones (augmented, if it did so), N x C x H x W pictures or N x D
                vectors, which get no gradient.
            fake: the same of made ones.
            factor: of gamma, for one that changes over a run: R3GAN's falls from 10 to 1 (`Ramp`).
        """
        if self.kind == "wgan-gp":
            return {"wgan_gp": factor * self.gamma * wgan_gp_penalty(discriminator, real, fake)}
        penalised = self._penalised(real, fake)
        return {name: factor * self._zero_centred(discriminator, samples) for name, samples in penalised}

    def _penalised(self, real: Tensor, fake: Tensor) -> list[tuple[str, Tensor]]:
        pictures = {"r1": real, "r2": fake}
        return [(name, pictures[name]) for name in _ZERO_CENTRED[self.kind]]

    def require_norm(self, norm: str, option: str = "config.penalty") -> None:
        """Refuse batch norm: it ties a picture's scores, and so their gradient, to the other pictures of the batch.

        Raises ConfigurationError that names `option`, where this penalty stands in the method's recipe.
        """
        if self.kind != "none" and norm == "batch":
            raise ConfigurationError(
                f"--{option}.kind {self.kind} takes the gradient of each picture by itself, and batch norm mixes "
                "the pictures of a batch: choose --config.discriminator.norm none (or instance)"
            )

    def _zero_centred(self, discriminator: Discriminator, pictures: Tensor) -> Tensor:
        if not self.approximate:
            return 0.5 * self.gamma * zero_centred_penalty(discriminator, pictures)
        weight = approximate_weight(gamma=self.gamma, sigma=self.sigma)
        return weight * approximate_penalty(discriminator, pictures, sigma=self.sigma)
