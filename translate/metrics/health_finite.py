"""Health: are all numbers finite?"""

from collections.abc import Mapping

from torch import Tensor

from translate.metrics.finding import Finding


def check_finite(tensors: Mapping[str, Tensor]) -> list[Finding]:
    """Find tensors with NaN or infinity in them; the message names the first and counts the others.

    Args:
        tensors: Outputs, losses or weights by the name that a user knows them by.
    """
    bad = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if not bad:
        return []
    others = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    return [
        Finding(
            code="not_finite",
            severity="error",
            message=f"{bad[0]} holds numbers that are not finite{others}: this model has diverged.",
            remedy="Go back to the last good checkpoint (--start-from) and train more gently: half of the learning "
            "rates (--optimisers.*.learning-rate), or --precision fp32.",
        )
    ]
