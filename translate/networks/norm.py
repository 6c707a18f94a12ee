"""Normalisation: the only place where networks get their norm layers, and spectral norm, from.

`instance` has no learned scale and shift (CycleGAN, https://arxiv.org/abs/1703.10593); `instance-affine` and `batch`
have them (pix2pix, https://arxiv.org/abs/1611.07004, trains batch norm at batch size 1).

Batch norm in training mode at batch size 1 *is* affine instance norm: the statistics of a channel are taken over
the same numbers, and both use the biased variance and the same epsilon. A test proves the difference to be 0. So a
network that was trained with `batch` at batch size 1 gives its users the same pictures, in evaluation mode, when
its weights are loaded into the same network with `instance-affine`; the layers' weights and biases have the same
names and shapes, and the running statistics are left behind.

Instance norm needs more than one pixel: torch refuses a 1 x 1 map. The networks' size rules take this in.
"""

from collections.abc import Callable
from typing import Literal

from torch import nn
from torch.nn.utils import parametrizations

from translate.card import Tiling
from translate.networks.choice import choose
from translate.networks.instance_norm import InstanceNorm2d

Norm = Literal["instance", "instance-affine", "batch", "none"]


def norm_at(norm: Norm, batch_size: int) -> Norm:
    """The norm that a network trained at this batch size should be built with: `instance-affine` for `batch` at 1.

    There the two are one function in training, but in evaluation batch norm would take running statistics.
    """
    return "instance-affine" if norm == "batch" and batch_size == 1 else norm


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """A layer that normalises N x `channels` x H x W."""
    return choose(_LAYERS, norm, "norm")(channels)


def needs_bias(norm: Norm) -> bool:
    """Whether a convolution before this norm has a bias of its own.

    A norm with a learned shift makes the bias idle. Instance norm without a shift removes the bias as well, yet the
    networks that people have trained keep one there, and so do these.
    """
    return choose(_NEEDS_BIAS, norm, "norm")


def tiling_with(norm: Norm) -> Tiling:
    """How a network whose reach is bounded, but for its norm, may be cut into tiles in evaluation mode."""
    return choose(_TILING, norm, "norm")


def spectrally_normalise(network: nn.Module) -> None:
    """Divide the weight of every convolution, as a matrix (outputs x rest), by its largest singular value.

    The value is tracked by one power iteration for each forward pass in training mode, as in Miyato et al.,
    https://arxiv.org/abs/1802.05957. It bounds the matrix, not the convolution, whose norm is up to
    sqrt(kernel height x kernel width) times larger.
    """
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d):
            parametrizations.spectral_norm(layer)


def _instance(channels: int) -> nn.Module:
    return InstanceNorm2d(channels)


def _instance_affine(channels: int) -> nn.Module:
    return InstanceNorm2d(channels, affine=True)


def _batch(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels)


def _none(_channels: int) -> nn.Module:
    return nn.Identity()


_LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "instance": _instance,
    "instance-affine": _instance_affine,
    "batch": _batch,
    "none": _none,
}
_NEEDS_BIAS: dict[str, bool] = {"instance": True, "instance-affine": False, "batch": False, "none": True}
_TILING: dict[str, Tiling] = {
    "instance": "whole-picture statistics",
    "instance-affine": "whole-picture statistics",
    "batch": "exact",
    "none": "exact",
}
