"""Their generator's weights in our generator: the same function, layer by layer."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from pipelines.importing.recognising import Tensors
from pipelines.importing.reference import Architecture, Layer
from translate.errors import ModelError
from translate.networks.norm import Norm
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

BatchStatistics = Literal["picture", "running"]
"""Whose mean and variance a batch norm takes: each picture's own, or those averaged over training."""

_Convolution = nn.Conv2d | nn.ConvTranspose2d
_Norm = nn.BatchNorm2d | nn.InstanceNorm2d


def generator(architecture: Architecture, tensors: Tensors, statistics: BatchStatistics, file: str) -> UNet | ResNet:
    """Our network with their weights, in evaluation mode.

    With `statistics` "picture", batch norm becomes affine instance norm, which is what batch norm in training mode does
    with one picture at a time (see translate.networks.norm).

    Raises ModelError where a weight has another shape than the architecture says, or statistics are missing.
    """
    norm = _our_norm(architecture, statistics)
    # Without memory first: the file says how large the network is, and need not be honest.
    with torch.device("meta"):
        _weights(_network(architecture, norm), architecture, tensors, file)
    network = _network(architecture, norm)
    network.load_state_dict(_weights(network, architecture, tensors, file))
    return network.eval()


def _our_norm(architecture: Architecture, statistics: BatchStatistics) -> Norm:
    return "instance-affine" if architecture.norm == "batch" and statistics == "picture" else architecture.norm


def _network(architecture: Architecture, norm: Norm) -> UNet | ResNet:
    inputs, outputs, width = architecture.inputs, architecture.outputs, architecture.width
    if architecture.kind == "unet":
        return UNet(inputs=inputs, outputs=outputs, width=width, depth=architecture.size, norm=norm)
    plain = ResNet(inputs=inputs, outputs=outputs, width=width, blocks=architecture.size, norm=norm)
    if not (architecture.blurs_down or architecture.blurs_up):
        return plain
    blurred = ResNet(
        inputs=inputs, outputs=outputs, width=width, blocks=architecture.size, norm=norm, resampling="blur"
    )
    # CUT can leave out one of the two filters. What the blurred network says of its reach holds for both.
    if not architecture.blurs_down:
        blurred.down = plain.down
    if not architecture.blurs_up:
        blurred.up = plain.up
    return blurred


def _weights(network: nn.Module, architecture: Architecture, tensors: Tensors, file: str) -> dict[str, Tensor]:
    """Theirs under our names, in float32."""
    ours = network.state_dict()
    sources = dict(_sources(network, architecture.layers()))
    weights = {name: _weight(sources[name], tensor, tensors, file) for name, tensor in ours.items()}
    return {name: tensor.to(ours[name].dtype) for name, tensor in weights.items()}


def _weight(source: str, like: Tensor, tensors: Tensors, file: str) -> Tensor:
    tensor = tensors.get(source)
    if tensor is None:
        return _absent(source, like, file)
    if tensor.shape != like.shape:
        shapes = f"{' x '.join(map(str, tensor.shape))}, not {' x '.join(map(str, like.shape))}"
        raise ModelError(f"{file}: {source!r} is {shapes}: it was made by a changed version of that code")
    return tensor


def _absent(source: str, like: Tensor, file: str) -> Tensor:
    """What their file need not have: the count of batches, and a bias where no norm follows (theirs has none)."""
    if source.endswith((".running_mean", ".running_var")):
        raise ModelError(f"{file} has no running statistics ({source!r}): leave --batch-statistics at picture")
    return torch.zeros(like.shape, dtype=like.dtype)


def _sources(network: nn.Module, layers: list[Layer]) -> Iterator[tuple[str, str]]:
    """(our name, their name) of every weight; both networks run their convolutions in one order."""
    remaining = iter(layers)
    layer = Layer(convolution="")
    for name, module in network.named_modules():
        if isinstance(module, _Convolution):
            layer = next(remaining)
        theirs = layer.convolution if isinstance(module, _Convolution) else layer.norm
        if isinstance(module, _Convolution | _Norm):
            yield from ((f"{name}.{entry}", f"{theirs}.{entry}") for entry in module.state_dict())
