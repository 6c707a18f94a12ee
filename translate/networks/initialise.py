"""First weights, as the papers draw them. Every function changes the module in place and returns nothing.

A convolution under spectral norm gets its underlying weight drawn; the singular vectors then catch up with it.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

Norm = nn.BatchNorm2d | nn.InstanceNorm2d
Convolution = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
_POWER_ITERATIONS = 15


def initialise(module: nn.Module, std: float = 0.02, generator: torch.Generator | None = None) -> None:
    """Weights from N(0, `std`), norms' scales from N(1, `std`), biases and shifts 0: DCGAN and pix2pix."""
    _initialise(module, lambda weight: nn.init.normal_(weight, 0.0, std, generator), std, generator)


def initialise_xavier(
    module: nn.Module, gain: float = 0.02, std: float = 0.02, generator: torch.Generator | None = None
) -> None:
    """Weights from Glorot's normal distribution times `gain` (CUT), norms' scales from N(1, `std`), biases 0."""
    _initialise(module, lambda weight: nn.init.xavier_normal_(weight, gain, generator), std, generator)


def _initialise(
    module: nn.Module, draw: Callable[[Tensor], Tensor], std: float, generator: torch.Generator | None
) -> None:
    for layer in module.modules():
        if isinstance(layer, Convolution):
            _draw_weight(layer, draw)
            _zero(layer.bias)
        elif isinstance(layer, Norm) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, std, generator)
            _zero(layer.bias)


def _draw_weight(layer: Convolution, draw: Callable[[Tensor], Tensor]) -> None:
    if parametrize.is_parametrized(layer, "weight"):
        draw(layer.get_parameter("parametrizations.weight.original"))
        _settle(layer)
    else:
        draw(layer.weight)


def _settle(layer: Convolution) -> None:
    """Read the weight in training mode a few times: each time is one power iteration."""
    was_training = layer.training
    layer.train()
    with torch.no_grad():
        for _ in range(_POWER_ITERATIONS):
            _ = layer.weight
    layer.train(was_training)


def _zero(bias: Tensor | None) -> None:
    if bias is not None:
        nn.init.zeros_(bias)
