"""Image-to-image generators as configuration: what a recipe says, and the network it stands for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from translate.networks.initialise import initialise
from translate.networks.norm import Norm
from translate.networks.resample import Resampling
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

TranslationNetwork = UNet | ResNet


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """An image-to-image generator."""

    kind: Literal["unet", "resnet"] = "unet"
    """A U-Net has skips between encoder and decoder; a ResNet has residual blocks at a quarter of the size."""
    width: int = 64
    """Channels of the outermost level."""
    depth: int = 8
    """U-Net: how often it halves the size; 8 for 256 px (a multiple of 256), 7 for 128 px, 6 for 64 px."""
    blocks: int = 9
    """ResNet: residual blocks; the papers take 9 at 256 px and 6 at 128 px."""
    norm: Norm = "batch"
    """Normalisation."""
    resampling: Resampling = "paper"
    """How sizes are halved and doubled: the paper's way, anti-aliased (blur), or nearest neighbour then convolution."""
    dropout: float = 0.0
    """Probability of dropout in training; pix2pix takes 0.5 as its noise. Users always run without."""

    def build(self, inputs: int, outputs: int, *, batch_size: int) -> TranslationNetwork:
        """The network, with weights from N(0, 0.02) as in both papers."""
        network = _BUILDERS[self.kind](self, inputs, outputs, self._norm(batch_size))
        initialise(network)
        return network

    def _norm(self, batch_size: int) -> Norm:
        """Batch norm at batch size 1 is affine instance norm, and then users get it, not running statistics."""
        return "instance-affine" if self.norm == "batch" and batch_size == 1 else self.norm


def _unet(config: GeneratorConfig, inputs: int, outputs: int, norm: Norm) -> TranslationNetwork:
    return UNet(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        depth=config.depth,
        norm=norm,
        resampling=config.resampling,
        dropout=config.dropout,
    )


def _resnet(config: GeneratorConfig, inputs: int, outputs: int, norm: Norm) -> TranslationNetwork:
    return ResNet(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        blocks=config.blocks,
        norm=norm,
        resampling=config.resampling,
        dropout=config.dropout,
    )


_BUILDERS: dict[str, Callable[[GeneratorConfig, int, int, Norm], TranslationNetwork]] = {
    "unet": _unet,
    "resnet": _resnet,
}
