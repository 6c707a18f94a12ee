"""Networks that fill holes as configuration: what a recipe says, and the network it stands for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from translate.errors import ConfigurationError
from translate.networks.choice import choose
from translate.networks.context_encoder import ContextEncoder
from translate.networks.fan_in import RELU_GAIN, scale_by_fan_in
from translate.networks.fourier_inpainter import FourierInpainter, Upsampling
from translate.networks.initialise import initialise
from translate.networks.norm import Norm, norm_at
from translate.networks.resample import Resampling
from translate.networks.surroundings import FromSurroundings
from translate.networks.unet import UNet

InpainterNetwork = FourierInpainter | ContextEncoder | UNet | FromSurroundings
"""What they have in common: N x 4 x H x W to N x 3 x H x W in [-1, 1], `size_rule`, `tiling`, `context_px`."""


_LAST = 0.02


@dataclass(frozen=True, kw_only=True)
class InpainterConfig:
    """A network that fills holes."""

    kind: Literal["fourier", "context-encoder", "unet"] = "fourier"
    """Fourier: LaMa's residual network, every block of which sees the whole picture. Context encoder: everything
    through a narrow middle. U-Net: pix2pix's, with skips past the middle; the quickest on a CPU."""
    width: int = 16
    """Channels of the outermost level; the papers have 64."""
    down: int = 3
    """How often it halves the size: LaMa 3 times; the context encoder's paper 5 times at 128 px, to 4 x 4; a U-Net
    as far as its map is to see, 6 times at 192 px."""
    blocks: int = 4
    """Fourier: residual blocks; the paper has 9."""
    global_ratio: float = 0.75
    """Fourier: part of the channels that sees the whole picture."""
    norm: Norm = "batch"
    """Normalisation; batch at batch size 1 is affine instance norm, and then users get that."""
    upsampling: Upsampling = "nearest"
    """Fourier and U-Net: how sizes are doubled: transposed convolution (the papers), or enlarge and convolve then,
    which leaves no checkerboard."""
    fourier: bool = True
    """Fourier: off puts plain convolutions in place of the Fourier ones, to see what they are good for."""

    base: Literal["none", "surroundings"] = "none"
    """surroundings: begin at a smooth filling out of what is known nearby, and learn what it lacks: for short runs."""

    def build(self, inputs: int, outputs: int, *, batch_size: int, crop_px: int) -> InpainterNetwork:
        """The network for training crops of `crop_px`: the picture and the mask in, the picture out.

        Raises ConfigurationError for a crop that the network cannot take.
        """
        least, step = 2 ** (self.down + 1), 2**self.down
        if crop_px < least or crop_px % step:
            raise ConfigurationError(
                f"--augmentation.crop-px is {crop_px}, but the generator takes multiples of {step} px, at least "
                f"{least}: choose such a crop, or another --config.generator.down"
            )
        fitted = replace(self, norm=norm_at(self.norm, batch_size))
        network = choose(_BUILDERS, self.kind, "--config.generator.kind")(fitted, inputs, outputs, crop_px)
        return network if self.base == "none" else _from_surroundings(network)


def _fourier(config: InpainterConfig, inputs: int, outputs: int, _crop_px: int) -> InpainterNetwork:
    network = FourierInpainter(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        down=config.down,
        blocks=config.blocks,
        global_ratio=config.global_ratio,
        norm=config.norm,
        upsampling=config.upsampling,
        fourier=config.fourier,
    )
    scale_by_fan_in(network, RELU_GAIN)
    scale_by_fan_in(network.tail, 0.5)  # the last layer alone: tanh is not to begin where it is flat
    return network


def _context_encoder(config: InpainterConfig, inputs: int, outputs: int, crop_px: int) -> InpainterNetwork:
    network = ContextEncoder(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        down=config.down,
        grid=crop_px // 2**config.down,
        norm=config.norm,
    )
    initialise(network)
    return network


def _unet(config: InpainterConfig, inputs: int, outputs: int, _crop_px: int) -> InpainterNetwork:
    network = UNet(
        inputs=inputs,
        outputs=outputs,
        width=config.width,
        depth=config.down,
        norm=config.norm,
        resampling=choose(_RESAMPLING, config.upsampling, "--config.generator.upsampling"),
    )
    initialise(network)
    return network


def _from_surroundings(network: InpainterNetwork) -> InpainterNetwork:
    """Its last convolution begins as nearly nothing, so that learning starts at the plain filling."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)][-1]
    with torch.no_grad():
        last.weight.mul_(_LAST)
    return FromSurroundings(network=network, size_rule=network.size_rule)


_BUILDERS: Mapping[str, Callable[[InpainterConfig, int, int, int], InpainterNetwork]] = {
    "fourier": _fourier,
    "context-encoder": _context_encoder,
    "unet": _unet,
}
_RESAMPLING: Mapping[str, Resampling] = {"transposed": "paper", "bilinear": "blur", "nearest": "nearest"}
