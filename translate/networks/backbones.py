"""The frozen networks that a perceptual loss can look through, by name.

EfficientNet-Lite0 comes in a package; the VGGs are torchvision's and are downloaded once. EfficientNet-Lite1 is not
here: it scores, and a network that trained a model must not judge it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

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


class LazyBackbone:
    """A loss backbone that is built when a loss first looks through it, on the device of the pictures.

    So a model that is only run needs neither its weights nor a download. It is no module: it is in no state dict, and
    its owner's `.to(device)` passes it by.
    """

    def __init__(self, name: BackboneName) -> None:
        self.weights = BACKBONES[name].weights
        """The weight of each feature map."""
        self._build = BACKBONES[name].build
        self._network: nn.Module | None = None
        self._device: torch.device | None = None

    @property
    def is_built(self) -> bool:
        """Whether it was looked through yet."""
        return self._network is not None

    def __call__(self, pictures: Tensor) -> Sequence[Tensor]:
        """Feature maps of N x 1, 3 or 4 x H x W in [-1, 1]. Raises ConfigurationError where it cannot be had."""
        network = self._network or self._built()
        if self._device != pictures.device:
            network.to(pictures.device)
            self._device = pictures.device
        return network(pictures)

    def _built(self) -> nn.Module:
        # Layers that are made draw initial weights: a resumed run builds at another moment than one that never stopped.
        with torch.random.fork_rng(devices=()):
            self._network = self._build()
        return self._network
