"""What a decoder's raw numbers say of a sample: the likelihoods that a recipe can name."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from translate.errors import ConfigurationError, require
from translate.losses.variational import bernoulli_log_likelihood, gaussian_log_likelihood


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """The log p(x|z) of a decoder's output."""

    kind: Literal["bernoulli", "gaussian"] = "bernoulli"
    """bernoulli: of every number by itself, from log-odds, for pictures that are nearly black and white (grey counts
    as a share of white). gaussian: of squared errors, for any samples."""
    std: float = 0.3
    """gaussian: standard deviation around the decoder's output, in the samples' units (pictures are in [-1, 1]).
    Smaller asks for more detail at the price of more nats in the code."""

    def __post_init__(self) -> None:
        """Refuse a distribution that is none."""
        require(self.std > 0, "config.likelihood.std", self.std, "above 0")
        if self.kind not in ("bernoulli", "gaussian"):
            raise ConfigurationError(f"--config.likelihood.kind is {self.kind}: choose bernoulli or gaussian")

    @property
    def log_odds(self) -> bool:
        """Whether a decoder is to give log-odds of white, rather than samples."""
        return self.kind == "bernoulli"

    def log_likelihood(self, raw: Tensor, samples: Tensor) -> Tensor:
        """In nats, one number a sample: N.

        Args:
            raw: the decoder's raw output, N x *shape.
            samples: N x *shape; for bernoulli in [-1, 1].
        """
        if self.kind == "bernoulli":
            return bernoulli_log_likelihood(raw, samples)
        return gaussian_log_likelihood(raw, samples, std=self.std)
