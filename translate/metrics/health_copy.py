"""Health: does the generator just hand its input back?"""

from torch import Tensor

from translate.metrics.finding import Finding
from translate.metrics.remedies import Remedies, advice

COPIED_SHARE = 0.1
"""With pairs: an output that moved less than a tenth of the way from input to target has hardly been translated."""

COPIED_LEVELS = 1.0
"""Without pairs nobody knows how far to move; a mean change below one level of 255 is invisible in any domain."""

_LEVELS_PER_UNIT = 127.5


def check_copying(
    inputs: Tensor,
    outputs: Tensor,
    targets: Tensor,
    *,
    paired: bool,
    generator: str = "generator",
    remedies: Remedies | None = None,
) -> list[Finding]:
    """Find a generator that has collapsed to the identity.

    Args:
        inputs: N x C x H x W in [-1, 1].
        outputs: What the generator made of them; nothing is checked where sizes differ from the inputs', or channels
            do (but for grey inputs: colours that are all grey are a copy of them).
        targets: The true answers where `paired`; else not looked at.
        paired: Whether the i-th target belongs to the i-th input.
        generator: The network's name in the recipe.
        remedies: What the method offers.
    """
    if not _comparable(inputs, outputs):
        return []
    moved = _mean_levels(outputs, inputs)
    limit = COPIED_SHARE * _mean_levels(targets, inputs) if paired else COPIED_LEVELS
    if moved >= limit:
        return []
    return [
        Finding(
            code="identity_collapse",
            severity="warning",
            message=f"{generator} hands its input back: outputs are {moved:.2f} levels of 255 from inputs on average.",
            remedy="Check that inputs and targets are not the same pictures. Then train longer. "
            + advice((remedies or Remedies()).copying),
        )
    ]


def _comparable(inputs: Tensor, outputs: Tensor) -> bool:
    return inputs.shape[-2:] == outputs.shape[-2:] and inputs.shape[1] in (1, outputs.shape[1])


def _mean_levels(first: Tensor, second: Tensor) -> float:
    return float((first.float() - second.float()).abs().mean()) * _LEVELS_PER_UNIT
