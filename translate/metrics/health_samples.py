"""Health of a generator that works from noise: has it collapsed, altogether or within a class, or is it about to?"""

import numpy as np
from torch import Tensor

from translate.metrics.finding import Finding
from translate.metrics.health_discriminator import Figures
from translate.metrics.health_finite import check_finite
from translate.metrics.remedies import Remedies, advice, slower
from translate.metrics.sample_diversity import (
    FEWEST_SAMPLES,
    SampleDiversity,
    coarse_vectors,
    distance_shares,
    sample_diversity,
)

LOW_SPREAD = 0.35
"""Median distance of two samples, as a share of real data's.

Measured on digits and Fashion: held out 0.98 to 1.06, blurred by 5 px 0.63, half the contrast 0.49, one class 0.48 to
0.99, one picture with noise of 13 levels of 255 0.10, with noise of 38 levels 0.30, 80 % of the way to the mean 0.21.
"""

LOW_NEAREST = 0.3
"""Median distance to the nearest other sample. Held out 0.99 to 1.07, blurred 0.53, half the contrast 0.50, only digits
"1" 0.33; three or eight pictures over and over with noise of 13 levels 0.15 to 0.23."""

LOW_KINDS = 0.5
"""Effective number of kinds. Held out at least 0.80 on digits and Fashion, whatever their contrast, blurred or noisy,
and 0.71 on emoji; a single class, of 256 samples, at most 0.42, whether kinds are clusters or known classes. Of 64
samples single classes reach 0.77: give 256."""

FALLEN_SHARE = 0.5
"""A run's diversity has fallen if it is below this share of its own best."""

_GOOD_BEST = 0.5
_STILL_RISING = 1.25
_FEWEST_VALIDATIONS = 4
_FEWEST_OF_A_CLASS = 8


def check_samples(
    samples: Tensor,
    real: Tensor,
    *,
    real_labels: Tensor | None = None,
    generator: str = "generator",
    remedies: Remedies | None = None,
) -> list[Finding]:
    """Find samples that are all alike, that repeat a few, or that show few of the kinds there are.

    For a run that is under way use `check_diversity_history`: a generator starts without diversity.

    Args:
        samples: N x C x H x W in [-1, 1] or N x D, from noise (and labels as frequent as in the data); 256 are well,
            and nothing is checked on fewer than 64.
        real: Real data of the same shape, in any order; as many as there are samples, better held out.
        real_labels: Their classes, where they are known.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    broken = check_finite({f"The output of {generator}": samples})
    if broken or samples.shape[1:] != real.shape[1:] or min(len(samples), len(real)) < FEWEST_SAMPLES:
        return broken
    how = _collapsed(sample_diversity(samples, real, real_labels=real_labels))
    return [_collapse("mode_collapse", f"The samples of {generator} have collapsed: {how}.", remedies)] if how else []


def check_class_diversity(
    samples: Tensor,
    asked: Tensor,
    real: Tensor,
    labels: Tensor,
    *,
    names: tuple[str, ...] = (),
    generator: str = "generator",
    remedies: Remedies | None = None,
) -> list[Finding]:
    """Find classes whose samples are all alike, or repeat a few, beside real ones of that class.

    Args:
        samples: N x C x H x W in [-1, 1] or N x D.
        asked: The N classes that were asked for.
        real: M of the same shape.
        labels: Their M classes. A class with fewer than 8 on a side is not checked.
        names: What the classes are called, if not by their numbers.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    if samples.shape[1:] != real.shape[1:] or not bool(samples.isfinite().all()):
        return []
    ours, theirs = coarse_vectors(samples), coarse_vectors(real)
    collapsed = [
        names[label] if label < len(names) else str(label)
        for label in map(int, asked.unique())
        if _class_collapsed(ours[asked.cpu() == label], theirs[labels.cpu() == label])
    ]
    if not collapsed:
        return []
    listed = ", ".join(collapsed)
    message = f"Within a class {generator} answers much the same to any noise. Collapsed classes: {listed}."
    return [_collapse("class_collapse", message, remedies)]


def check_diversity_history(
    history: Figures, *, generator: str = "generator", remedies: Remedies | None = None
) -> list[Finding]:
    """Find diversity that falls during a run, or that never comes.

    Args:
        history: `SampleDiversity.least` at each validation, in the order of training.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    if history.size < 2:
        return []
    best, now = float(history.max()), float(history[-1])
    if best >= _GOOD_BEST and now < FALLEN_SHARE * best:
        message = (
            f"The samples of {generator} lose their diversity: {now:.0%} of real data's, at best it was {best:.0%}."
        )
        return [_collapse("diversity_falls", message, remedies, slower(generator).option)]
    if history.size >= _FEWEST_VALIDATIONS and _stays_low(history):
        message = f"The samples of {generator} stay alike: {now:.0%} of real data's diversity, and it does not grow."
        return [_collapse("mode_collapse", message, remedies)]
    return []


def _collapsed(diversity: SampleDiversity) -> str | None:
    """What is wrong in words, or None."""
    if diversity.spread < LOW_SPREAD:
        return f"they differ by {diversity.spread:.0%} of what real data does"
    if diversity.nearest < LOW_NEAREST:
        return f"a few are repeated, each has a near copy at {diversity.nearest:.0%} of the distance in real data"
    if diversity.kinds < LOW_KINDS:
        return f"they show {diversity.kinds:.0%} of the kinds in real data"
    return None


def _class_collapsed(ours: Tensor, theirs: Tensor) -> bool:
    count = min(len(ours), len(theirs))
    if count < _FEWEST_OF_A_CLASS:
        return False
    spread, nearest = distance_shares(ours[:count], theirs[:count])
    return spread < LOW_SPREAD or nearest < LOW_NEAREST


def _stays_low(history: Figures) -> bool:
    """Low throughout the second half, and at its end not much above its beginning."""
    late = history[history.size // 2 :]
    return float(np.max(late)) < LOW_NEAREST and float(late[-1]) < _STILL_RISING * float(late[0])


def _collapse(code: str, message: str, remedies: Remedies | None, first: str = "") -> Finding:
    listed = advice((remedies or Remedies()).collapse)
    start = f"The weights before the fall are kept (--validation.best); train on with {first}. " if first else ""
    return Finding(code=code, severity="warning", message=message, remedy=start + listed)
