"""Adversarial objectives: each is a pair, what the discriminator minimises and what the generator minimises.

All take raw scores of any shape, without a sigmoid: a score a picture, a map of them (PatchGAN), or a sequence of
maps (multi-scale). Every map is averaged over all its elements, then the maps over the scales. The arithmetic is in
float32 whatever autocast says.

Factors are the methods' affair: the published code of pix2pix and of CycleGAN halves the discriminator's loss, so
that it learns at half the generator's pace. That 0.5 belongs to those methods; no objective here has it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor
from torch.nn.functional import relu, softplus

from translate.errors import ConfigurationError
from translate.losses.scores import Scores, mean_over_scales, scales

ObjectiveName = Literal[
    "minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic", "relativistic-average"
]


class Objective(ABC):
    """The two sides of one game. Both losses are scalars to be minimised."""

    @abstractmethod
    def discriminator(self, real: Scores, fake: Scores) -> Tensor:
        """The discriminator's loss, from its scores of real and of generated pictures."""

    @abstractmethod
    def generator(self, fake: Scores, real: Callable[[], Scores]) -> Tensor:
        """The generator's loss, from the scores of its pictures.

        `real` computes the scores of real pictures: `objective.generator(d(fake), lambda: d(real))`. Only an
        objective that compares calls it, so the others do not pay for that pass.
        """


@dataclass(frozen=True, kw_only=True)
class Absolute(Objective):
    """Every score is judged by itself, by one function for each role that it plays."""

    on_real: Callable[[Tensor], Tensor]
    on_fake: Callable[[Tensor], Tensor]
    for_generator: Callable[[Tensor], Tensor]

    def discriminator(self, real: Scores, fake: Scores) -> Tensor:
        """E on_real(D(x)) + E on_fake(D(G))."""
        return _mean(self.on_real, real) + _mean(self.on_fake, fake)

    def generator(self, fake: Scores, real: Callable[[], Scores]) -> Tensor:
        """E for_generator(D(G))."""
        return _mean(self.for_generator, fake)


@dataclass(frozen=True, kw_only=True)
class Relativistic(Objective):
    """The i-th real score is compared with the i-th fake one: `loss` is given how far the winner is ahead."""

    loss: Callable[[Tensor], Tensor]

    def discriminator(self, real: Scores, fake: Scores) -> Tensor:
        """E loss(D(x) - D(G)). Raises ValueError where the scores do not pair off."""
        return self._lead(real, fake)

    def generator(self, fake: Scores, real: Callable[[], Scores]) -> Tensor:
        """E loss(D(G) - D(x)). Raises ValueError where the scores do not pair off."""
        return self._lead(fake, real())

    def _lead(self, ahead: Scores, behind: Scores) -> Tensor:
        pairs = zip(scales(ahead), scales(behind), strict=True)
        return mean_over_scales([self.loss(_difference(high, low)).mean() for high, low in pairs])


@dataclass(frozen=True, kw_only=True)
class RelativisticAverage(Objective):
    """Every score is compared with the mean of the other side's: `loss` is given how far the winner is ahead."""

    loss: Callable[[Tensor], Tensor]

    def discriminator(self, real: Scores, fake: Scores) -> Tensor:
        """1/2 (E loss(D(x) - E D(G)) + E loss(E D(x) - D(G)))."""
        return self._lead(real, fake)

    def generator(self, fake: Scores, real: Callable[[], Scores]) -> Tensor:
        """1/2 (E loss(D(G) - E D(x)) + E loss(E D(G) - D(x)))."""
        return self._lead(fake, real())

    def _lead(self, ahead: Scores, behind: Scores) -> Tensor:
        pairs = zip(scales(ahead), scales(behind), strict=True)
        return mean_over_scales(
            [0.5 * (self.loss(high - low.mean()).mean() + self.loss(high.mean() - low).mean()) for high, low in pairs]
        )


def _mean(function: Callable[[Tensor], Tensor], scores: Scores) -> Tensor:
    return mean_over_scales([function(tensor).mean() for tensor in scales(scores)])


def _difference(ahead: Tensor, behind: Tensor) -> Tensor:
    # Without this check, N x 1 scores against N of them would broadcast to N x N without a word.
    if ahead.shape != behind.shape:
        raise ValueError(
            f"a relativistic objective pairs scores off, but they have shapes {tuple(ahead.shape)} and "
            f"{tuple(behind.shape)}: give it as many real as generated pictures, of one size"
        )
    return ahead - behind


MINIMAX = Absolute(
    on_real=lambda score: softplus(-score),
    on_fake=softplus,
    for_generator=lambda score: -softplus(score),
)
"""-log sigmoid(D(x)) - log(1 - sigmoid(D(G))) and its negative: the value function of Goodfellow et al. 2014, eq. 1.

The generator's side saturates: its gradient vanishes where the discriminator is sure.
"""

NON_SATURATING = Absolute(
    on_real=lambda score: softplus(-score),
    on_fake=softplus,
    for_generator=lambda score: softplus(-score),
)
"""As minimax, but the generator minimises -log sigmoid(D(G)): Goodfellow et al. 2014, section 3. pix2pix plays it."""

LEAST_SQUARES = Absolute(
    on_real=lambda score: (score - 1).square(),
    on_fake=lambda score: score.square(),
    for_generator=lambda score: (score - 1).square(),
)
"""(D(x) - 1)^2 + D(G)^2 and (D(G) - 1)^2: Mao et al. 2017 with targets 0 and 1, but without their 1/2.

CycleGAN plays it.
"""

HINGE = Absolute(
    on_real=lambda score: relu(1 - score),
    on_fake=lambda score: relu(1 + score),
    for_generator=lambda score: -score,
)
"""max(0, 1 - D(x)) + max(0, 1 + D(G)) and -D(G): Lim and Ye 2017; Miyato et al. 2018, eq. 16 and 17."""

WASSERSTEIN = Absolute(
    on_real=lambda score: -score,
    on_fake=lambda score: score,
    for_generator=lambda score: -score,
)
"""D(G) - D(x) and -D(G): Arjovsky et al. 2017. It has a minimum only for a Lipschitz-bounded discriminator."""

RELATIVISTIC = Relativistic(loss=lambda lead: softplus(-lead))
"""softplus(D(G) - D(x)) and softplus(D(x) - D(G)): relativistic pairing, Jolicoeur-Martineau 2018.

Play it with both R1 and R2: Huang et al. 2024 (R3GAN), eq. 2 and table 1.
"""

RELATIVISTIC_AVERAGE = RelativisticAverage(loss=lambda lead: softplus(-lead))
"""-log sigmoid(D(x) - E D(G)) - log(1 - sigmoid(D(G) - E D(x))), halved: Jolicoeur-Martineau 2018, section 4.2.

ESRGAN plays it (Wang et al. 2018, equations 1 and 2; the half is its published code's).
"""

OBJECTIVES: Mapping[ObjectiveName, Objective] = {
    "minimax": MINIMAX,
    "non-saturating": NON_SATURATING,
    "least-squares": LEAST_SQUARES,
    "hinge": HINGE,
    "wasserstein": WASSERSTEIN,
    "relativistic": RELATIVISTIC,
    "relativistic-average": RELATIVISTIC_AVERAGE,
}


def smoothed(objective: Objective, *, real_target: float) -> Objective:
    """One-sided label smoothing: real pictures count as real by `real_target` only (Salimans et al. 2016, section 3.4).

    The discriminator then minimises the cross-entropy to `real_target` on real pictures and to 0 on made ones, so
    that its best answer is real_target p / (p + q). The generator's side stays as it is.

    Args:
        objective: minimax or non-saturating; with `real_target` 1 any, which is given back.
        real_target: above 1/2 and at most 1; the paper takes 0.9.

    Raises:
        ConfigurationError: for another target, or an objective whose scores are no log-odds.
    """
    if real_target == 1:
        return objective
    if not 0.5 < real_target < 1:
        raise ConfigurationError(
            f"--config.game.real-target is {real_target}: choose above 0.5, up to 1 (which smooths nothing)"
        )
    if not isinstance(objective, Absolute) or objective not in (MINIMAX, NON_SATURATING):
        raise ConfigurationError(
            f"--config.game.real-target {real_target} smooths a probability, and only the objectives minimax and "
            "non-saturating have one: choose one of them (--config.game.objective), or the target 1"
        )
    return _smoothed(objective, real_target)


def _smoothed(objective: Absolute, real_target: float) -> Absolute:
    def on_real(score: Tensor) -> Tensor:
        return real_target * objective.on_real(score) + (1 - real_target) * objective.on_fake(score)

    return replace(objective, on_real=on_real)
