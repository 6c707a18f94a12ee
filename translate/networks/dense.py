"""Fully connected stages: linear, norm, activation; and maxout."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from translate.networks.blocks import LEAK
from translate.networks.choice import at_least, choose
from translate.networks.fan_in import LEAKY_GAIN, RELU_GAIN, scaled_by_fan_in

ActivationName = Literal["relu", "leaky-relu", "softplus"]


@dataclass(frozen=True, kw_only=True)
class Activation:
    """An activation and the gain of weights before it."""

    build: Callable[[], nn.Module]
    gain: float


ACTIVATIONS: Mapping[str, Activation] = {
    "relu": Activation(build=nn.ReLU, gain=RELU_GAIN),
    "leaky-relu": Activation(build=partial(nn.LeakyReLU, LEAK), gain=LEAKY_GAIN),
    # Never 0, whatever the gain is; Salimans et al. 2016 put batch norm before it.
    "softplus": Activation(build=nn.Softplus, gain=1.0),
}


class Maxout(nn.Module):
    """h_i(x) = max over j of (x W_ij + b_ij), j from 1 to `pieces`; N x `inputs` to N x `outputs`.

    Goodfellow et al. 2013, https://arxiv.org/abs/1302.4389, section 3.
    """

    def __init__(self, *, inputs: int, outputs: int, pieces: int = 5) -> None:
        super().__init__()
        self.pieces = at_least(1, pieces, "pieces")
        self.linear = scaled_by_fan_in(nn.Linear(inputs, outputs * pieces))

    def forward(self, x: Tensor) -> Tensor:
        """Every unit's largest piece; pieces of one unit lie side by side in the linear layer."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(dim=2)


def dense_stages(
    inputs: int, widths: Sequence[int], *, activation: ActivationName, batch_norm: Sequence[bool]
) -> Iterator[nn.Module]:
    """One stage for each of `widths`; `batch_norm` says of each whether the batch is normalised before activation."""
    chosen = choose(ACTIVATIONS, activation, "activation")
    for (given, made), norm in zip(pairwise([inputs, *widths]), batch_norm, strict=True):
        yield nn.Sequential(
            scaled_by_fan_in(nn.Linear(given, made, bias=not norm), chosen.gain),
            nn.BatchNorm1d(made) if norm else nn.Identity(),
            chosen.build(),
        )


def maxout_stages(inputs: int, widths: Sequence[int], *, pieces: int) -> Iterator[nn.Module]:
    """One maxout layer for each of `widths`."""
    for given, made in pairwise([inputs, *widths]):
        yield Maxout(inputs=given, outputs=made, pieces=pieces)
