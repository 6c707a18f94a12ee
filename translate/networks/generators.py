"""Image-to-image generators as configuration: what a recipe says, and the network it stands for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from translate.errors import ConfigurationError
from translate.networks.difference import Difference
from translate.networks.initialise import initialise
from translate.networks.lab import InLab
from translate.networks.norm import Norm, norm_at
from translate.networks.resample import Resampling
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

TranslationNetwork = UNet | ResNet | Difference | InLab


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """An image-to-image generator."""

    kind: Literal["unet", "resnet"] = "unet"
    """A U-Net has skips between encoder and decoder; a ResNet has residual blocks at a quarter of the size."""
    width: int = 64
    """Channels of the outermost level."""
    depth: int = 0
    """U-Net: how often it halves the size; 0: as often as the crop allows (8 times at 256 px, as in the paper)."""
    blocks: int = 9
    """ResNet: residual blocks; the papers take 9 at 256 px and 6 at 128 px."""
    norm: Norm = "batch"
    """Normalisation; batch at batch size 1 is affine instance norm, and then users get that."""
    resampling: Resampling = "paper"
    """How sizes are halved and doubled: the paper's way, anti-aliased (blur), or nearest neighbour then convolution."""
    dropout: float = 0.0
    """Probability of dropout in training; pix2pix takes 0.5 as its noise. Users always run without."""

    difference: bool = False
    """Learn the difference to the input rather than the output: for tasks that leave most pixels as they are."""
    colours: Literal["rgb", "lab"] = "rgb"
    """lab: out of a grey picture, give its colours alone (the a and b of CIE Lab) and keep its lightness."""

    def build(self, inputs: int, outputs: int, *, batch_size: int, crop_px: int) -> TranslationNetwork:
        """The network for training crops of `crop_px`, with weights from N(0, 0.02) as in both papers.

        Raises ConfigurationError for a crop that the network cannot take.
        """
        fitted = replace(self, depth=self.depth or _halvings(crop_px), norm=norm_at(self.norm, batch_size))
        network = _BUILDERS[self.kind](fitted, inputs, 2 if self.colours == "lab" else outputs)
        _require_crop(crop_px, network)
        initialise(network)
        if self.colours == "lab":
            return InLab(network=network, inputs=inputs, outputs=outputs)
        return Difference(network=network, inputs=inputs, outputs=outputs) if self.difference else network


def _halvings(crop_px: int) -> int:
    """How often 2 divides the crop: 8 for 256, 5 for 96."""
    return max(2, (crop_px & -crop_px).bit_length() - 1)


def _require_crop(crop_px: int, network: UNet | ResNet) -> None:
    rule = network.size_rule
    if crop_px < rule.at_least_px or crop_px % rule.multiple_of_px:
        raise ConfigurationError(
            f"--augmentation.crop-px is {crop_px}, but the generator takes multiples of {rule.multiple_of_px} px, at "
            f"least {rule.at_least_px}: choose such a crop, or another --config.generator.depth"
        )


def _unet(config: GeneratorConfig, inputs: int, outputs: int) -> UNet | ResNet:
    return UNet(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        depth=config.depth,
        norm=config.norm,
        resampling=config.resampling,
        dropout=config.dropout,
    )


def _resnet(config: GeneratorConfig, inputs: int, outputs: int) -> UNet | ResNet:
    return ResNet(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        blocks=config.blocks,
        norm=config.norm,
        resampling=config.resampling,
        dropout=config.dropout,
    )


_BUILDERS: dict[str, Callable[[GeneratorConfig, int, int], UNet | ResNet]] = {
    "unet": _unet,
    "resnet": _resnet,
}
