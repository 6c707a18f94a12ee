"""Health of the game between a generator from noise and its discriminator, while it is played.

At the game's solution D(x) = D(G(z)) = 1/2 (Goodfellow et al. 2014, section 4). Healthy runs stay away from it, the
discriminator a little ahead; what is told here is a game that one side has left, or a discriminator that calls
everything the same.
"""

from dataclasses import dataclass

import numpy as np

from translate.metrics.finding import Finding
from translate.metrics.health_discriminator import DiscriminatorScores, Figures, held_out_accuracy
from translate.metrics.remedies import Remedies, advice, slower

WINS_ALWAYS = 0.995
"""Held-out accuracy (area under the ROC curve over whole samples) of a discriminator that has won."""

CERTAIN = 0.98
"""D(x) above this and D(G(z)) below its complement: the discriminator no longer learns, and hardly teaches."""

ONE_SIDED = 0.9
"""Both D(x) and D(G(z)) above this, or both below its complement: the discriminator calls everything the same."""

_FEWEST_SCORES = 64
_FEWEST_FIGURES = 20
_WINDOW_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Probabilities:
    """Mean D(x) and mean D(G(z)) over a run, each in [0, 1], at the same moments in the order of training.

    Only for objectives whose score is a log odds (minimax, non-saturating): a sigmoid of scores for least squares,
    hinge, Wasserstein or relativistic pairing is no probability, and says nothing.
    """

    discriminator: str
    real: Figures
    fake: Figures


def probability(scores: Figures) -> float:
    """The mean sigmoid of raw scores: D(x) of a batch, without overflow."""
    return float(np.mean(0.5 * (1 + np.tanh(0.5 * np.asarray(scores, dtype=np.float64)))))


def check_game(
    scores: DiscriminatorScores, *, generator: str = "generator", remedies: Remedies | None = None
) -> list[Finding]:
    """Find a discriminator that is right about every held-out sample, or wrong about most.

    Args:
        scores: Of held-out real data and of samples, one number each; fewer than 64 on a side are not judged.
        generator: The other network's name in the recipe.
        remedies: What the method offers.
    """
    if min(scores.held_out_real.size, scores.fake.size) < _FEWEST_SCORES:
        return []
    accuracy = held_out_accuracy(scores)
    if accuracy >= WINS_ALWAYS:
        message = (
            f"{scores.discriminator} tells samples from real data that it never saw in {accuracy:.1%} of cases: "
            f"{generator} gets little to learn from."
        )
        return [_strong("discriminator_wins", message, scores.discriminator, remedies)]
    if accuracy <= 1 - WINS_ALWAYS:
        message = f"{scores.discriminator} takes samples for more real than real data in {1 - accuracy:.1%} of cases."
        return [_weak("discriminator_fooled", message, generator, remedies)]
    return []


def check_probabilities(
    course: Probabilities, *, generator: str = "generator", remedies: Remedies | None = None
) -> list[Finding]:
    """Find D(x) and D(G(z)) that have left 1/2 for good: apart, or both to one side.

    Args:
        course: Both over the run; fewer than 20 moments are not judged, and the last tenth decides.
        generator: The other network's name in the recipe.
        remedies: What the method offers.
    """
    if min(course.real.size, course.fake.size) < _FEWEST_FIGURES:
        return []
    real, fake = _last(course.real), _last(course.fake)
    told = f"D(x) is {real:.3f} and D(G(z)) is {fake:.3f} for {course.discriminator}"
    if real > CERTAIN and fake < 1 - CERTAIN:
        message = f"{told}: it has won, and {generator} gets little to learn from."
        return [_strong("probabilities_apart", message, course.discriminator, remedies)]
    if min(real, fake) > ONE_SIDED or max(real, fake) < 1 - ONE_SIDED:
        message = f"{told}: it calls everything {'real' if real > 0.5 else 'fake'}, and no longer compares."
        return [_weak("probabilities_one_sided", message, generator, remedies)]
    return []


def _strong(code: str, message: str, discriminator: str, remedies: Remedies | None) -> Finding:
    options = [slower(discriminator), *(remedies or Remedies()).strong_discriminator]
    return Finding(code=code, severity="warning", message=message, remedy=advice(options))


def _weak(code: str, message: str, generator: str, remedies: Remedies | None) -> Finding:
    options = [*(remedies or Remedies()).weak_discriminator, slower(generator)]
    return Finding(code=code, severity="warning", message=message, remedy=advice(options))


def _last(figures: Figures) -> float:
    """The median of the last tenth: one odd batch must not decide."""
    return float(np.median(figures[-max(1, round(_WINDOW_SHARE * figures.size)) :]))
