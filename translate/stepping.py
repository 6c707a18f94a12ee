"""A step that is taken or not by a flag on the device."""

import torch
from torch import Tensor

_READS_A_FLAG, _FLAG, _MOMENTUM = "_step_supports_amp_scaling", "found_inf", "momentum_buffer"
"""torch's own names: which optimisers read a flag, and where; what SGD remembers."""

_HEEDED_ON = ("cpu", "cuda")
"""Where fused kernels heed the flag; Apple's take it and do not look."""


def begin_momentum(optimiser: torch.optim.Optimizer) -> None:
    """Give fused gradient descent the zeros that its momentum begins with.

    torch makes room for it at the first step and lets the kernel fill it, which a first step that is not taken never
    does: whatever lay in that memory would then be added to the weights.
    """
    for group in optimiser.param_groups:
        if group.get("fused") and group.get("momentum"):
            for parameter in group["params"]:
                optimiser.state[parameter].setdefault(_MOMENTUM, torch.zeros_like(parameter))


def step_unless(bad: Tensor, optimiser: torch.optim.Optimizer) -> None:
    """Move, unless the flag (0-dimensional, on the parameters' device) is set.

    Fused steps read the flag on the device, as those of torch's GradScaler do, so that nobody waits for it.
    """
    if bad.device.type not in _HEEDED_ON or not vars(optimiser).get(_READS_A_FLAG, False):
        if not bool(bad):
            optimiser.step()
        return
    vars(optimiser)[_FLAG] = bad.float()
    try:
        optimiser.step()
    finally:
        del vars(optimiser)[_FLAG]
