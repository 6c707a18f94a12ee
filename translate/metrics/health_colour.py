"""Health: are colours turned round? A cycle that inverts twice loses nothing, so CycleGAN can settle on negatives."""

import torch
from torch import Tensor

from translate.metrics.finding import Finding, colours
from translate.metrics.remedies import Remedies, advice

INVERTED = -0.3
"""If the correlations of three quarters of the pictures are below this, light and dark, or the hues, are exchanged.

Measured upper quartiles: negatives and complementary hues -1, red and blue exchanged -0.61 to -0.77, channels rotated
-0.50; satellite tiles against their true maps, which differ a lot, 0.06 (light) and 0.72 (hue); a photo against any
other 0.03 to 0.21.
"""

_MOST = 0.75
_FLAT = 4 / 127.5
_FEWEST_PICTURES = 8


def luminance_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Correlation of brightness over the pixels of each pair, in [-1, 1]; pairs with a flat picture are left out."""
    return _correlation(first.mean(dim=1, keepdim=True), second.mean(dim=1, keepdim=True))


def hue_correlation(first: Tensor, second: Tensor) -> Tensor:
    """The same of the three channels less their mean; a tint of the whole picture does not count."""
    return _correlation(first - first.mean(dim=1, keepdim=True), second - second.mean(dim=1, keepdim=True))


def check_colours(
    outputs: Tensor,
    references: Tensor,
    *,
    against_truth: bool,
    generator: str = "generator",
    remedies: Remedies | None = None,
) -> list[Finding]:
    """Find outputs whose brightness or hues are opposite to what they should follow.

    Args:
        outputs: N x C x H x W in [-1, 1].
        references: The true targets, or, without pairs, the inputs.
        against_truth: Whether `references` are the true targets; against inputs an inversion may be right: a note.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    made, wanted = colours(outputs), colours(references)
    if made is None or wanted is None or made.shape != wanted.shape:
        return []
    found = {
        "light and dark": luminance_correlation(made, wanted),
        "the hues": hue_correlation(made, wanted),
    }
    inverted = [what for what, values in found.items() if _is_inverted(values)]
    return [_finding(" and ".join(inverted), against_truth, generator, remedies or Remedies())] if inverted else []


def _finding(what: str, against_truth: bool, generator: str, remedies: Remedies) -> Finding:
    reference = "the true targets" if against_truth else "the inputs"
    doubt = "" if against_truth else " If your two domains are negatives of each other, all is well."
    return Finding(
        code="colour_inversion",
        severity="warning" if against_truth else "note",
        message=f"{generator} exchanges {what}: its pictures are opposite to {reference} there.{doubt}",
        remedy="This is decided in the first moments: train again with another --seed. " + advice(remedies.inversion),
    )


def _is_inverted(values: Tensor) -> bool:
    return len(values) >= _FEWEST_PICTURES and float(values.quantile(_MOST)) < INVERTED


def _correlation(first: Tensor, second: Tensor) -> Tensor:
    """Over the pixels of each pair in N x C x H x W, where both pictures deviate by more than 4 levels of 255."""
    a, b = ((x - x.mean(dim=(2, 3), keepdim=True)).flatten(1) for x in (first, second))
    strength_a, strength_b = a.square().mean(dim=1).sqrt(), b.square().mean(dim=1).sqrt()
    clear = (strength_a > _FLAT) & (strength_b > _FLAT)
    return torch.div((a * b).mean(dim=1)[clear], (strength_a * strength_b)[clear])
