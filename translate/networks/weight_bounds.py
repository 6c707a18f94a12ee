"""Reparametrised weights: spectral norm and weight norm of whole networks, dense layers included."""

from collections.abc import Callable, Mapping

from torch import nn
from torch.nn.utils import parametrizations

from translate.networks.choice import choose


def bind_weights(network: nn.Module, norm: str) -> None:
    """Reparametrise every layer's weight in place by `spectral` or `weight`; `none` and `batch` leave it alone.

    To be called when the first weights are drawn: both keep their directions. Spectral: weight / its largest singular
    value, for embeddings that a score projects on too (Miyato and Koyama 2018). Weight: g v / |v| for every output,
    g learnt (Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868), without initialisation by data.
    """
    choose(_BINDINGS, norm, "norm")(network)


def _spectral(network: nn.Module) -> None:
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Embedding):
            parametrizations.spectral_norm(layer)


def _weight(network: nn.Module) -> None:
    for layer in list(network.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            parametrizations.weight_norm(layer)


def _as_they_are(_network: nn.Module) -> None:
    pass


_BINDINGS: Mapping[str, Callable[[nn.Module], None]] = {
    "none": _as_they_are,
    "batch": _as_they_are,
    "spectral": _spectral,
    "weight": _weight,
}
