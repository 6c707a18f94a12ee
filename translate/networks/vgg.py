"""VGG, the papers' backbone of the perceptual loss, with torchvision's ImageNet weights (downloaded on first use)."""

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torchvision import models

from translate.errors import ConfigurationError
from translate.networks.frozen import Frozen, as_rgb

Variant = Literal["vgg16", "vgg19"]


class VGG(Frozen):
    """VGG (Simonyan and Zisserman 2015) with frozen ImageNet weights, as feature maps.

    It takes N x 1, 3 or 4 x H x W in [-1, 1], at least 16 px. `layers` are named as in the papers, "conv5_4" before
    and "relu5_4" after the rectifier, block and place in it counted from 1: pix2pixHD has relu1_1 to relu5_1 of
    vgg19 with weights 1/32, 1/16, 1/8, 1/4, 1; ESRGAN has conv5_4.

    Raises:
        ConfigurationError: for a layer that the network lacks, or where its weights cannot be downloaded.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        variant: Variant = "vgg19",
        layers: Sequence[str] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    ) -> None:
        super().__init__()
        named = _named(_pretrained_trunk(variant))
        _refuse_unknown(layers, named, variant)
        self.pieces = nn.ModuleList(_pieces(named, layers))
        # torchvision's ImageNet statistics are those of pictures in [0, 1].
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 2 - 1)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1) * 2)
        self.freeze()

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """One feature map a layer, in the network's order."""
        maps: list[Tensor] = []
        deepest = (as_rgb(pictures) - self.mean) / self.deviation
        for piece in self.pieces:
            deepest = piece(deepest)
            maps.append(deepest)
        return maps


def _pretrained_trunk(variant: Variant) -> nn.Sequential:
    try:
        network = models.get_model(variant, weights="DEFAULT")
    except OSError as problem:
        raise ConfigurationError(
            f"The weights of {variant} could not be downloaded ({problem}): connect once, put the file into "
            f"{torch.hub.get_dir()}/checkpoints, or choose EfficientNet-Lite0, which is installed"
        ) from problem
    return cast(nn.Sequential, network.get_submodule("features"))


def _named(trunk: nn.Sequential) -> dict[str, nn.Module]:
    """The trunk's modules by the papers' names: conv1_1, relu1_1, conv1_2, relu1_2, pool1, conv2_1, ..."""
    named: dict[str, nn.Module] = {}
    block, place = 1, 0
    for module in trunk:
        if isinstance(module, nn.Conv2d):
            place += 1
            named[f"conv{block}_{place}"] = module
        elif isinstance(module, nn.ReLU):
            # Not in place: it would overwrite the map before it, which may have been asked for.
            named[f"relu{block}_{place}"] = nn.ReLU()
        else:
            named[f"pool{block}"] = module
            block, place = block + 1, 0
    return named


def _refuse_unknown(layers: Sequence[str], named: dict[str, nn.Module], variant: Variant) -> None:
    unknown = [layer for layer in layers if layer not in named]
    if unknown or not layers:
        raise ConfigurationError(f"{variant} has no layers {unknown}: choose some of {', '.join(named)}")


def _pieces(named: dict[str, nn.Module], layers: Sequence[str]) -> list[nn.Sequential]:
    """The trunk, cut behind each of the layers; what follows the last is left out."""
    pieces: list[list[nn.Module]] = [[]]
    for name, module in named.items():
        pieces[-1].append(module)
        if name in layers:
            pieces.append([])
    return [nn.Sequential(*piece) for piece in pieces[:-1]]
