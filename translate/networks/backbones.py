"""The frozen networks that a perceptual loss can look through, by name.

EfficientNet-Lite0 comes in a package; the VGGs are torchvision's and are downloaded once. EfficientNet-Lite1 is not
here: it scores, and a network that trained a model must not judge it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from translate.networks.efficientnet import EfficientNetLite
from translate.networks.vgg import VGG

BackboneName = Literal["efficientnet-lite0", "vgg16", "vgg19"]


@dataclass(frozen=True, kw_only=True)
class LossBackbone:
    """How to build a backbone, and the weight of each of its feature maps."""

    build: Callable[[], nn.Module]
    weights: tuple[float, ...]


# pix2pixHD's weights for relu1_1 to relu5_1 (Wang et al. 2018, published code).
_VGG_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)

BACKBONES: dict[BackboneName, LossBackbone] = {
    # Equal weights, a fifth each: the five maps are of one order of magnitude.
    "efficientnet-lite0": LossBackbone(build=partial(EfficientNetLite, variant="lite0"), weights=(0.2,) * 5),
    "vgg16": LossBackbone(build=partial(VGG, variant="vgg16"), weights=_VGG_WEIGHTS),
    "vgg19": LossBackbone(build=partial(VGG, variant="vgg19"), weights=_VGG_WEIGHTS),
}
