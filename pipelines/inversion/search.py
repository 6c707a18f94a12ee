"""Inversion: the code from which a generator makes a given picture, or comes nearest to it. Needs torch.

Adam on the code alone, from several starts at once (Zhu et al. 2016, arXiv:1609.03552; Creswell and Bharath 2018,
arXiv:1611.05644, who invert a batch by the sum of its errors). The generator does not move.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.generating.classes import Classes
from pipelines.generating.inputs import Given, InputPorts
from translate.card import Card, Latent
from translate.errors import PictureError

STARTS = 8

Extra = Callable[[Tensor, Tensor], Tensor]
"""A further error of N x C x H x W made pictures from N equal targets, a number each."""


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """The best of all starts.

    `inputs` (1 row a port) make the `reconstruction` (C x H x W, or the numbers of a vector), whose mean squared
    `error` is that of numbers in [-1, 1]; `errors` has the error of every start.
    """

    inputs: dict[str, NDArray[Any]]
    reconstruction: NDArray[np.float32]
    error: float
    errors: tuple[float, ...]


def invert(
    module: nn.Module,
    target: NDArray[np.float32],
    card: Card,
    *,
    label: Classes = None,
    starts: int | None = None,
    steps: int = 400,
    learning_rate: float = 0.1,
    seed: int = 0,
    extra: Extra | None = None,
    device: torch.device | None = None,
) -> Inversion:
    """Find the latents from which a generator makes a picture.

    Args:
        module: called with a tensor an input port, in the card's order; gives the picture (or a tuple, that first).
        target: C x H x W float32 in [-1, 1] (or D numbers, for a generator of points).
        card: says which ports there are. Every latent is looked for, and uniform ones stay within [-1, 1].
        label: the class or classes to try; all that the model knows, if None. Starts have them in turn.
        starts: codes to begin with, drawn from `seed` as samples are; 8, or one a class if those are more, if None.
        steps: of Adam, whose rate falls to 0 along half a cosine.
        learning_rate: at the first step.
        seed: of the starts.
        extra: a perceptual error that is added, say; see `perceptual_error`.
        device: where to compute; the CPU, if None.

    Raises:
        ConfigurationError: a class is not there.
        PictureError: the target has another shape than what the generator makes.
    """
    device = device or torch.device("cpu")
    module = module.to(device).eval()
    ports = InputPorts(card)
    starts = starts or max(STARTS, ports.label.classes if ports.label is not None else 0)
    goal = torch.from_numpy(np.ascontiguousarray(target)).to(device).expand(starts, *target.shape)
    drawn = ports.draw(starts, seed, Given(label=label))
    inputs = {port.name: torch.from_numpy(drawn[port.name]).to(device) for port in ports.ports}
    latents = [port for port in ports.ports if isinstance(port, Latent)]
    _search(module, goal, inputs, latents, rates=_rates(learning_rate, steps), extra=extra)
    with torch.no_grad():
        made = _made(module, inputs)
        errors = _squared(made, goal)
    best = int(errors.argmin())
    return Inversion(
        inputs={name: value[best : best + 1].detach().cpu().numpy() for name, value in inputs.items()},
        reconstruction=made[best].float().cpu().numpy(),
        error=float(errors[best]),
        errors=tuple(errors.tolist()),
    )


def perceptual_error(weight: float) -> Extra:
    """`weight` times the mean L1 of feature maps of EfficientNet-Lite0, or ConfigurationError without its weights."""
    from translate.networks.backbones import LazyBackbone

    backbone = LazyBackbone("efficientnet-lite0")

    def error(made: Tensor, goal: Tensor) -> Tensor:
        pairs = zip(backbone(made), backbone(goal), backbone.weights, strict=True)
        return weight * torch.stack([(share * (a - b).abs()).flatten(1).mean(1) for a, b, share in pairs]).sum(0)

    return error


def _search(
    module: nn.Module,
    goal: Tensor,
    inputs: Mapping[str, Tensor],
    latents: Sequence[Latent],
    *,
    rates: Sequence[float],
    extra: Extra | None,
) -> None:
    """Moves the latents in place. Errors of several starts are added: Adam is elementwise, so none sees another."""
    moved = [inputs[port.name].requires_grad_() for port in latents]
    adam = torch.optim.Adam(moved, lr=rates[0] if rates else 0.0)
    for rate in rates:
        made = _made(module, inputs)
        errors = _squared(made, goal) + (extra(made, goal) if extra is not None else 0.0)
        for code, gradient in zip(moved, torch.autograd.grad(errors.sum(), moved), strict=True):
            code.grad = gradient  # of the codes alone: the generator's weights get none
        for group in adam.param_groups:
            group["lr"] = rate
        adam.step()
        _keep_in_range(latents, moved)


@torch.no_grad()
def _keep_in_range(latents: Sequence[Latent], moved: Sequence[Tensor]) -> None:
    for port, code in zip(latents, moved, strict=True):
        if port.distribution == "uniform":
            code.clamp_(*port.range)


def _rates(learning_rate: float, steps: int) -> list[float]:
    return [learning_rate * (1 + cos(pi * step / steps)) / 2 for step in range(steps)]


def _made(module: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    outputs = module(*inputs.values())
    return outputs[0] if isinstance(outputs, tuple) else outputs


def _squared(made: Tensor, goal: Tensor) -> Tensor:
    if made.shape != goal.shape:
        raise PictureError(
            "sizes_differ", f"The target is {tuple(goal.shape[1:])}; the generator makes {tuple(made.shape[1:])}"
        )
    return (made - goal).square().flatten(1).mean(1)
