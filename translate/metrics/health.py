"""The health of a run in plain words: all checks on sample pictures in one call.

Figures of the game (scores of discriminators, losses) are checked by `translate.metrics.health_discriminator`.
"""

from dataclasses import dataclass

from torch import Tensor

from translate.metrics.finding import Finding
from translate.metrics.health_checkerboard import check_checkerboard
from translate.metrics.health_colour import check_colours
from translate.metrics.health_copy import check_copying
from translate.metrics.health_diversity import check_diversity
from translate.metrics.health_finite import check_finite
from translate.metrics.remedies import Remedies

SAMPLE_PICTURES = 64
"""Enough for every check; one second at 256 px on one core."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Held-out pictures of one direction of translation: N x C x H x W in [-1, 1].

    `targets` are real pictures of the output's domain; where `paired`, the i-th belongs to the i-th input.
    """

    inputs: Tensor
    outputs: Tensor
    targets: Tensor
    paired: bool


def examine_pictures(
    sample: Sample, *, generator: str = "generator", remedies: Remedies | None = None
) -> list[Finding]:
    """Everything that the pictures of one direction show to be wrong; an empty list is a clean bill.

    Args:
        sample: Held-out pictures; 16 or more, since checks keep silent on fewer than they need.
        generator: The network's name in the recipe (`generator`, `generator_ab`), for messages and remedies.
        remedies: What the method offers.
    """
    broken = check_finite({f"The output of {generator}": sample.outputs})
    if broken:
        return broken
    references = sample.targets if sample.paired else sample.inputs
    return [
        *check_copying(
            sample.inputs, sample.outputs, sample.targets, paired=sample.paired, generator=generator, remedies=remedies
        ),
        *check_diversity(sample.outputs, sample.targets, sample.inputs, generator=generator, remedies=remedies),
        *check_colours(sample.outputs, references, against_truth=sample.paired, generator=generator, remedies=remedies),
        *check_checkerboard(sample.outputs, sample.targets, generator=generator, remedies=remedies),
    ]
