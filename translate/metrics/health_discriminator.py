"""Health: is the game still balanced? A discriminator that always wins teaches its generator nothing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu

from translate.metrics.finding import Finding
from translate.metrics.remedies import Remedies, advice, slower

Figures = npt.NDArray[np.floating]
"""Plain numbers of any shape."""

TOO_ACCURATE = 0.98
"""Held-out accuracy from which the discriminator wins nearly always.

Measured on patches of 64 px emoji: in a pix2pix that went well at most 0.86, falling to 0.61 as it learnt; with ten
times the discriminator's learning rate against a slow generator 1.00 throughout. Give scores of patches: the mean over
a whole picture was at 0.999 in the same healthy run. For comparison, StyleGAN2-ADA (Karras et al. 2020) augments more
from a mean sign of 0.6, an accuracy of 0.8, on training pictures.
"""

MEMORISED_SHARE = 0.5
"""Karras et al. 2020, eq. 1: (train - held out) / (train - fake), 0 without overfitting and 1 for complete overfitting.

Half way, held-out real pictures look as fake as real to the discriminator. In the healthy run above at most 0.17.
"""

COLLAPSED_LOSS_SHARE = 0.05
"""A discriminator's loss below this share of its first values is near its minimum (0 for all but Wasserstein)."""

GROWN_LOSS_FACTOR = 1.5
"""The generator's adversarial loss has grown if it is above its first values by this factor."""

_FEWEST_SCORES = 8
_FEWEST_LOSSES = 20
_WINDOW_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class DiscriminatorScores:
    """A discriminator's raw outputs, one number a patch; higher means more real.

    `discriminator` is the network's name in the recipe. `held_out_real` and `fake` come from pictures that no network
    was trained on; `training_real` (optional) from training pictures, to see memorising.
    """

    discriminator: str
    held_out_real: Figures
    fake: Figures
    training_real: Figures | None = None


def held_out_accuracy(scores: DiscriminatorScores) -> float:
    """The chance that a random real score is above a random fake one: 0.5 is guessing, 1 is always right.

    It is the area under the ROC curve; unlike the share of correct signs it needs no threshold, so that it means the
    same for every objective (0 for hinge, 0.5 for least squares, none for Wasserstein and relativistic pairing).
    """
    real, fake = scores.held_out_real.ravel(), scores.fake.ravel()
    return float(mannwhitneyu(real, fake).statistic / (real.size * fake.size))


def memorised_share(train: Figures, held_out: Figures, fake: Figures) -> float:
    """How far held-out real scores are on the way from the training ones (0) to the fake ones (1)."""
    lead = float(train.mean() - fake.mean())
    return float(train.mean() - held_out.mean()) / lead if lead > 0 else 0.0


def check_discriminator(scores: DiscriminatorScores, *, remedies: Remedies | None = None) -> list[Finding]:
    """Find a discriminator that is too strong, or that knows its training pictures by heart.

    Args:
        scores: Of held-out real pictures and of outputs.
        remedies: What the method offers.
    """
    if min(scores.held_out_real.size, scores.fake.size) < _FEWEST_SCORES:
        return []
    return [*_too_strong(scores, remedies or Remedies()), *_memorises(scores)]


def check_adversarial_losses(
    discriminator: str,
    discriminator_losses: Figures,
    generator_losses: Figures,
    *,
    remedies: Remedies | None = None,
) -> list[Finding]:
    """Find a discriminator whose loss has vanished while its generator's adversarial loss has grown.

    Args:
        discriminator: The network's name in the recipe.
        discriminator_losses: In the order of training, without penalties.
        generator_losses: The generator's adversarial term at the same moments.
        remedies: What the method offers.
    """
    if min(discriminator_losses.size, generator_losses.size) < _FEWEST_LOSSES:
        return []
    before, now = _first_and_last(discriminator_losses)
    before_generator, now_generator = _first_and_last(generator_losses)
    vanished = before > 0 and now < COLLAPSED_LOSS_SHARE * before
    if not (vanished and now_generator > GROWN_LOSS_FACTOR * before_generator):
        return []
    return [
        Finding(
            code="discriminator_loss_vanished",
            severity="warning",
            message=f"The loss of {discriminator} fell from {before:.3g} to {now:.3g} while its generator's "
            f"adversarial loss rose from {before_generator:.3g} to {now_generator:.3g}: the game is lost.",
            remedy=_weaken(discriminator, remedies or Remedies()),
        )
    ]


def _too_strong(scores: DiscriminatorScores, remedies: Remedies) -> list[Finding]:
    accuracy = held_out_accuracy(scores)
    if accuracy < TOO_ACCURATE:
        return []
    return [
        Finding(
            code="discriminator_too_strong",
            severity="warning",
            message=f"{scores.discriminator} tells outputs from real pictures that it never saw in {accuracy:.1%} of "
            "cases: its generator gets little to learn from.",
            remedy=_weaken(scores.discriminator, remedies),
        )
    ]


def _memorises(scores: DiscriminatorScores) -> list[Finding]:
    if scores.training_real is None or scores.training_real.size < _FEWEST_SCORES:
        return []
    share = memorised_share(scores.training_real, scores.held_out_real, scores.fake)
    if share < MEMORISED_SHARE:
        return []
    return [
        Finding(
            code="discriminator_memorises",
            severity="warning",
            message=f"{scores.discriminator} knows its training pictures by heart: real pictures that it never saw "
            f"score {share:.0%} of the way towards the outputs.",
            remedy="Use more pictures or stronger augmentation (--augmentation.*), or a shorter run: the weights that "
            "scored best on held-out pictures are kept (--validation.best).",
        )
    ]


def _weaken(discriminator: str, remedies: Remedies) -> str:
    options = [slower(discriminator), *remedies.strong_discriminator]
    return f"Weaken the discriminator. {advice(options)} With few pictures, augment more (--augmentation.*)."


def _first_and_last(losses: Figures) -> tuple[float, float]:
    """Medians of the first and of the last tenth: one odd batch must not decide."""
    window = max(1, round(_WINDOW_SHARE * losses.size))
    return float(np.median(losses[:window])), float(np.median(losses[-window:]))
