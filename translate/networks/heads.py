"""Heads that read a discriminator's features: what class a sample is of, what code it was made from.

They are networks of their own, and share no parameter with the discriminator.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.choice import at_least
from translate.networks.dense import dense_stages
from translate.networks.fan_in import scaled_by_fan_in


class ClassifierHead(nn.Module):
    """N x `features` to N x `classes` logits; `widths` are those of hidden layers, none in AC-GAN.

    Odena, Olah and Shlens 2017, https://arxiv.org/abs/1610.09585.
    """

    def __init__(self, *, features: int, classes: int, widths: Sequence[int] = ()) -> None:
        super().__init__()
        self.layers = _head(features, at_least(2, classes, "classes"), widths)

    def forward(self, features: Tensor) -> Tensor:
        """Logits, for cross entropy: no softmax."""
        return self.layers(features)


class Codes(NamedTuple):
    """What a code head says of N samples."""

    categorical: tuple[Tensor, ...]
    """Logits of each categorical code, N x its number of classes."""
    continuous: Tensor
    """Means of the continuous codes, N x their number; their standard deviation is fixed, and the loss's matter."""


class CodeHead(nn.Module):
    """InfoGAN's Q(c | x): N x `features` to what each code may have been.

    Chen et al. 2016, https://arxiv.org/abs/1606.03657, section 6. `categorical` has the number of classes of each
    categorical code. The published head has one hidden layer of 128.
    """

    def __init__(
        self, *, features: int, categorical: Sequence[int], continuous: int, widths: Sequence[int] = (128,)
    ) -> None:
        super().__init__()
        self.sizes = [
            *(at_least(2, classes, "categories") for classes in categorical),
            at_least(0, continuous, "codes"),
        ]
        if not sum(self.sizes):
            raise ConfigurationError("A code head needs a code: give it a categorical or a continuous one")
        self.layers = _head(features, sum(self.sizes), widths)

    def forward(self, features: Tensor) -> Codes:
        """Logits and means; N x 0 means where there is no continuous code."""
        *categorical, continuous = self.layers(features).split(self.sizes, dim=1)
        return Codes(categorical=tuple(categorical), continuous=continuous)


def _head(features: int, outputs: int, widths: Sequence[int]) -> nn.Sequential:
    hidden = dense_stages(features, widths, activation="leaky-relu", batch_norm=[False] * len(widths))
    return nn.Sequential(*hidden, scaled_by_fan_in(nn.Linear([features, *widths][-1], outputs)))
