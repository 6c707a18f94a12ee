"""Losses that differ from place to place: of a hole, and of what is known around it."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.losses.adversarial import Absolute, Objective
from translate.losses.scores import Scores, at_least_float32, mean_over_scales, scales


def over(region: Tensor, made: Tensor, true: Tensor, distance: Callable[[Tensor], Tensor]) -> Tensor:
    """The mean of `distance` of the differences inside a region; 0 where no picture of the batch has any.

    Args:
        region: N x 1 x H x W, 1 inside and 0 outside.
        made: N x C x H x W.
        true: the same shape.
        distance: of each difference: `torch.abs`, `torch.square`.
    """
    apart = distance(at_least_float32(made) - at_least_float32(true)) * region
    return apart.sum() / (region.sum() * made.shape[1]).clamp(min=1.0)


class MaskAware:
    """A game in which the discriminator calls made only what was made.

    Suvorov et al. 2022, LaMa, https://arxiv.org/abs/2109.07161, section 2.3: patches of a filled picture that touch the
    hole are to be told from real ones, and all other patches count as real.
    """

    def __init__(self, objective: Objective) -> None:
        if not isinstance(objective, Absolute):
            raise ConfigurationError(
                "--config.objective: what judges patch by patch judges each by itself: choose non-saturating, "
                "minimax, least-squares, hinge or wasserstein"
            )
        self._objective = objective

    def discriminator(self, real: Scores, fake: Scores, hole: Tensor) -> Tensor:
        """E on_real(D(x)) + E[m on_fake(D(y)) + (1 - m) on_real(D(y))]; m is 1 for patches that touch the hole."""
        game = self._objective
        on_real = mean_over_scales([game.on_real(part).mean() for part in scales(real)])
        on_filled = [
            torch.where(_touches(hole, part), game.on_fake(part), game.on_real(part)).mean() for part in scales(fake)
        ]
        return on_real + mean_over_scales(on_filled)

    def generator(self, fake: Scores, hole: Tensor) -> Tensor:
        """E[m for_generator(D(y))] / E m: only what was made is to look real."""
        return mean_over_scales([self._of_filled(part, _touches(hole, part)) for part in scales(fake)])

    @staticmethod
    def of_made(fake: Scores, hole: Tensor) -> list[Tensor]:
        """Of each scale the scores of patches that touch the hole, in one row."""
        return [part[_touches(hole, part)] for part in scales(fake)]

    def _of_filled(self, scored: Tensor, touches: Tensor) -> Tensor:
        weights = touches.to(scored.dtype).expand_as(scored)
        return (self._objective.for_generator(scored) * weights).sum() / weights.sum().clamp(min=1.0)


def _touches(hole: Tensor, scored: Tensor) -> Tensor:
    """Of each score of N x 1 x h x w whether the part of the picture under it touches the hole."""
    return functional.adaptive_max_pool2d(hole.float(), scored.shape[-2:]) > 0
