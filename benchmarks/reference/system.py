"""What the references have in common: networks, a step on a batch, and training on real pictures."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

PRINT_EVERY = 100
"""Iterations between readings of the losses, as in the published code."""


class System(Protocol):
    """One way of training, with its networks in the order in which they were named."""

    networks: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]

    def step(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """One iteration on N x C x H x W pictures in [-1, 1]; losses, on the device."""
        ...


def prepare() -> None:
    """What published training code sets: cuDNN may try its kernels. TF32 stays as PyTorch has it."""
    torch.backends.cudnn.benchmark = True


def freeze(networks: Iterable[nn.Module], frozen: bool) -> None:
    for network in networks:
        network.requires_grad_(not frozen)


def train(
    system: System, batches: Iterable[tuple[Tensor, Tensor]], *, total: int, hold: float = 0.5
) -> Iterable[dict[str, float]]:
    """Train on `total` batches; the rate is held for a part of the run and then falls to 0 in a line.

    Yields the losses every 100 iterations. Rates fall every iteration, not every epoch as published: otherwise a run
    of few epochs would take steps.
    """
    rates = {name: optimiser.param_groups[0]["lr"] for name, optimiser in system.optimisers.items()}
    for iteration, (a, b) in zip(range(total), batches, strict=False):
        position = iteration / total
        factor = 1.0 if position <= hold else (1.0 - position) / (1.0 - hold)
        for name, optimiser in system.optimisers.items():
            optimiser.param_groups[0]["lr"] = rates[name] * factor
        losses = system.step(a, b)
        if (iteration + 1) % PRINT_EVERY == 0:
            yield read(losses)


def read(losses: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(loss) for name, loss in losses.items()}
