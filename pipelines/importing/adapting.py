"""Networks of spandrel's that cannot be exported as they are, as networks that can: the same pictures come out.

What spandrel does around a network before and after (`call_fn`) is in here too. That all is the same is measured for
every import, against spandrel's own call.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

NOISE_LEVEL: Final = 15 / 255
"""What spandrel tells DRUNet."""


class Centred(nn.Module):
    """A network after its mean colour is taken off: SPAN does so, and writes to itself while it does."""

    mean: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, gain: float) -> None:
        super().__init__()
        self.network, self.gain = network, gain
        self.register_buffer("mean", mean)

    def forward(self, picture: Tensor) -> Tensor:
        """N x 3 x H x W in [0, 1] to what the network makes of it."""
        return self.network((picture - self.mean) * self.gain)


class WithNoiseLevel(nn.Module):
    """A network that has one more channel: how strong the noise is, the same everywhere."""

    def __init__(self, network: nn.Module, level: float) -> None:
        super().__init__()
        self.network, self.level = network, level

    def forward(self, picture: Tensor) -> Tensor:
        """N x C x H x W to what the network makes of C + 1 channels."""
        return self.network(torch.cat([picture, torch.full_like(picture[:, :1], self.level)], dim=1))


class First(nn.Module):
    """A network that gives several things, of which the first is the picture."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """The picture alone."""
        return self.network(picture)[0]


class FromSignedRange(nn.Module):
    """A network that takes [0, 1] and gives [-1, 1], as one that gives [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """In [0, 1]."""
        return self.network(picture) * 0.5 + 0.5


class GroupsAsInstances(nn.Module):
    """Group norm as instance norm of the groups laid end to end: ONNX Runtime refuses what the exporter makes of it."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, maps: Tensor) -> Tensor:
        """N x C x H x W, normalised."""
        rows = maps.reshape(maps.shape[0], self.norm.num_groups, -1, maps.shape[-1])
        normed = functional.instance_norm(rows, eps=self.norm.eps).reshape(maps.shape)
        if not self.norm.affine:
            return normed
        return normed * self.norm.weight[:, None, None] + self.norm.bias[:, None, None]


def adapted(network: nn.Module, architecture: str) -> nn.Module:
    """The network for the exporter, with its weights. Parts of it are changed in place.

    Args:
        network: as spandrel built it, in evaluation mode.
        architecture: spandrel's identifier of it.
    """
    _replace(network, nn.GroupNorm, GroupsAsInstances)
    return _ADAPTERS.get(architecture, _unchanged)(network)


def _unchanged(network: nn.Module) -> nn.Module:
    return network


def _with_noise_level(network: nn.Module) -> nn.Module:
    return WithNoiseLevel(network, NOISE_LEVEL)


def _folded(network: Any) -> nn.Module:  # noqa: ANN401 - spandrel's classes have no types
    """SPAN: three convolutions and a shortcut are one, which it folds anew in every call; here once."""
    from spandrel.architectures.SPAN.__arch.span import Conv3XC

    _replace(network, Conv3XC, _one_convolution)
    if not network.is_norm:
        return network
    mean, network.no_norm = network.mean, torch.zeros(1)
    return Centred(network, mean, network.img_range)


def _one_convolution(layer: Any) -> nn.Module:  # noqa: ANN401 - as above
    layer.update_params()
    return nn.Sequential(layer.eval_conv, nn.LeakyReLU(0.05)) if layer.has_relu else layer.eval_conv


def _replace(network: nn.Module, kind: type[nn.Module], make: Callable[[Any], nn.Module]) -> None:
    """Every part of a kind, wherever it lies."""
    for parent in list(network.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, kind):
                parent.register_module(name, make(part).eval())


_ADAPTERS: Final[Mapping[str, Callable[[nn.Module], nn.Module]]] = {
    "DRUNet": _with_noise_level,
    "FBCNN": First,
    "GFPGAN": First,
    "MMRealSR": First,
    "MixDehazeNet": FromSignedRange,
    "SPAN": _folded,
}
"""By spandrel's identifier of the architecture."""
