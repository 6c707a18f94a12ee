"""Optimisers as configuration: each network of a run has one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from translate.dense_adam import DenseAdamW
from translate.errors import require
from translate.ramp import HasFraction, Ramp
from translate.stepping import begin_momentum


def _require_rate(rate: float) -> None:
    require(0 <= rate < math.inf, "optimisers.NETWORK.learning-rate", rate, "0 or more (0 holds the network)")


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma and Ba 2015), or AdamW (Loshchilov and Hutter 2019) where weights decay."""

    learning_rate: float = 2e-4
    """Step size at the start."""
    beta1: float = 0.5
    """Decay of the running mean of gradients."""
    beta2: float = 0.999
    """Decay of the running mean of squared gradients."""
    beta2_start: float | None = None
    """The same at the start of the run, from which it goes to beta2 by a cosine; None: beta2 throughout."""
    beta2_until: float = 0.2
    """Part of the run (0 to 1) that this takes."""
    epsilon: float = 1e-8
    """Added to the denominator."""
    weight_decay: float = 0.0
    """Decoupled decay of the weights, a step."""
    fused: bool = True
    """One kernel for the whole step instead of several for each operation; the same numbers, to rounding."""

    def __post_init__(self) -> None:
        """Refuse what Adam cannot do."""
        _require_rate(self.learning_rate)
        start = self.beta2 if self.beta2_start is None else self.beta2_start
        for name, beta in (("beta1", self.beta1), ("beta2", self.beta2), ("beta2-start", start)):
            require(0 <= beta < 1, f"optimisers.NETWORK.{name}", beta, "0 to below 1")
        require(0 <= self.beta2_until <= 1, "optimisers.NETWORK.beta2-until", self.beta2_until, "0 to 1")
        require(0 < self.epsilon < math.inf, "optimisers.NETWORK.epsilon", self.epsilon, "a small number above 0")
        require(0 <= self.weight_decay < math.inf, "optimisers.NETWORK.weight-decay", self.weight_decay, "0 or more")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An optimiser for one network."""
        return DenseAdamW(
            parameters,
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
            eps=self.epsilon,
            weight_decay=self.weight_decay,
            fused=self.fused,
        )

    def settings(self, progress: HasFraction) -> dict[str, object]:
        """What else than the rate changes over a run: the decays, by the name that torch gives them."""
        if self.beta2_start is None:
            return {}
        rising = Ramp(start=self.beta2_start, end=self.beta2, until_fraction=self.beta2_until)
        return {"betas": (self.beta1, rising.at(progress))}


@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent, with momentum as Goodfellow et al. 2014 had it."""

    learning_rate: float = 0.1
    """Step size at the start."""
    momentum: float = 0.5
    """Share of the last step that is kept."""
    fused: bool = True
    """One kernel for the whole step, as in Adam."""

    def __post_init__(self) -> None:
        """Refuse what gradient descent cannot do."""
        _require_rate(self.learning_rate)
        require(0 <= self.momentum < 1, "optimisers.NETWORK.momentum", self.momentum, "0 to below 1")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An optimiser for one network."""
        optimiser = torch.optim.SGD(parameters, lr=self.learning_rate, momentum=self.momentum, fused=self.fused)
        begin_momentum(optimiser)
        return optimiser

    def settings(self, progress: HasFraction) -> dict[str, object]:
        """Nothing else than the rate changes over a run."""
        return {}


@dataclass(frozen=True, kw_only=True)
class RMSprop:
    """RMSprop (Tieleman and Hinton 2012): Adam without the mean of gradients; WGAN's paper and SEGAN use it."""

    learning_rate: float = 2e-4
    """Step size at the start."""
    decay: float = 0.99
    """Decay of the running mean of squared gradients."""
    floor: float = 1e-8
    """Added to the denominator."""

    def __post_init__(self) -> None:
        """Refuse what RMSprop cannot do."""
        _require_rate(self.learning_rate)
        require(0 <= self.decay < 1, "optimisers.NETWORK.decay", self.decay, "0 to below 1")
        require(0 < self.floor < math.inf, "optimisers.NETWORK.floor", self.floor, "a small number above 0")

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An optimiser for one network."""
        return torch.optim.RMSprop(parameters, lr=self.learning_rate, alpha=self.decay, eps=self.floor)

    def settings(self, progress: HasFraction) -> dict[str, object]:
        """Nothing else than the rate changes over a run."""
        return {}


Optimiser = Adam | SGD | RMSprop
