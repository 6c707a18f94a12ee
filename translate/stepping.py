"""A step that is taken or not by a flag on the device."""

import torch
from torch import Tensor

_READS_A_FLAG, _FLAG = "_step_supports_amp_scaling", "found_inf"
"""torch's own names: which optimisers read a flag, and where."""


def step_unless(bad: Tensor, optimiser: torch.optim.Optimizer) -> None:
    """Move, unless the flag (0-dimensional, on the parameters' device) is set.

    Fused steps read the flag on the device, as those of torch's GradScaler do, so that nobody waits for it.
    """
    if not vars(optimiser).get(_READS_A_FLAG, False):
        if not bool(bad):
            optimiser.step()
        return
    vars(optimiser)[_FLAG] = bad.float()
    try:
        optimiser.step()
    finally:
        del vars(optimiser)[_FLAG]
