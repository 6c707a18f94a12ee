"""Patch discriminators as configuration: what a recipe says, and the network it stands for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from translate.card import Picture, PicturePort
from translate.errors import ConfigurationError
from translate.networks.choice import choose
from translate.networks.initialise import initialise
from translate.networks.joint import JointDiscriminator
from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.norm import Norm, norm_at
from translate.networks.patch import Discriminator, PatchDiscriminator, PixelDiscriminator
from translate.networks.projected import ProjectedDiscriminator
from translate.networks.resample import Downsampling
from translate.networks.unet_discriminator import UNetDiscriminator

DiscriminatorKind = Literal["patch", "unet", "projected", "patch+projected"]
DiscriminatorNetwork = MultiScaleDiscriminator | ProjectedDiscriminator | JointDiscriminator
"""What they have in common: `forward` gives a list of scores, `features` a list of lists, and `at_least_px`."""


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """A discriminator that scores patches, at one or several scales."""

    kind: DiscriminatorKind = "patch"
    """PatchGAN on pixels; or a U-Net that scores every pixel, always with spectral norm and no other (Real-ESRGAN); or
    small heads on the features of a frozen EfficientNet-Lite0 (Projected GANs); or these heads and PatchGAN together
    (vision-aided), for few pictures."""
    width: int = 64
    """Channels of the first layer."""
    layers: int = 3
    """Halving layers: 1, 2, 3, 4, 5 see patches of 16, 34, 70, 142, 286 px; 0 scores every pixel on its own. U-Net: how
    often it halves, 3 as published."""
    scales: int = 1
    """Discriminators, each on a picture of half the size of the one before."""
    norm: Norm = "batch"
    """Normalisation; it may not be batch under a gradient penalty. Batch at batch size 1 is affine instance norm."""
    resampling: Downsampling = "paper"
    """How sizes are halved: the paper's strided convolutions, or anti-aliased (blur)."""
    spectral_norm: bool = False
    """Bound every layer's largest singular value (Miyato et al. 2018)."""
    heads: int = 4
    """Projected: one for each feature map, at 1/4, 1/8, 1/16, 1/32 of the size; crops of 64 px or more take 4, of 32 px
    3. Layers and scales are PatchGAN's and the U-Net's, resampling is PatchGAN's alone."""

    def build(self, inputs: int, *, batch_size: int, ports: Sequence[PicturePort] = ()) -> DiscriminatorNetwork:
        """The network for training batches of `batch_size`, with weights from N(0, 0.02).

        Args:
            inputs: channels of what it looks at.
            batch_size: samples a step.
            ports: what these channels are, conditions first and what is judged last; by default one picture.

        Raises:
            ConfigurationError: where a frozen network shall look at what has no colours.
        """
        fitted = replace(self, norm=norm_at(self.norm, batch_size))
        network = choose(_BUILDERS, self.kind, "--config.discriminator.kind")(
            fitted, ports or (Picture(name="picture", channels=inputs),)
        )
        initialise(network)
        return network


def _patch(config: DiscriminatorConfig, ports: Sequence[PicturePort]) -> MultiScaleDiscriminator:
    inputs = sum(port.channels for port in ports)
    return MultiScaleDiscriminator(discriminators=[_one_scale(config, inputs) for _ in range(config.scales)])


def _one_scale(config: DiscriminatorConfig, inputs: int) -> Discriminator:
    if config.layers == 0:
        return PixelDiscriminator(
            inputs=inputs, width=config.width, norm=config.norm, spectral_norm=config.spectral_norm
        )
    return PatchDiscriminator(
        inputs=inputs,
        width=config.width,
        layers=config.layers,
        norm=config.norm,
        resampling=config.resampling,
        spectral_norm=config.spectral_norm,
    )


def _projected(config: DiscriminatorConfig, ports: Sequence[PicturePort]) -> ProjectedDiscriminator:
    pictures = _colour_pictures(ports)
    if config.kind == "projected" and len(pictures) < len(ports):
        raise ConfigurationError(
            "--config.discriminator.kind projected sees pictures of colours alone, and there are label maps beside "
            "them: choose patch+projected, whose PatchGAN sees these"
        )
    return ProjectedDiscriminator(
        pictures=pictures,
        width=config.width,
        heads=config.heads,
        norm=config.norm,
        spectral_norm=config.spectral_norm,
    )


def _joint(config: DiscriminatorConfig, ports: Sequence[PicturePort]) -> JointDiscriminator:
    return JointDiscriminator(parts=[_patch(config, ports), _projected(config, ports)])


def _colour_pictures(ports: Sequence[PicturePort]) -> list[slice]:
    """The channels of each picture that a network of photographs can look at, within those of all ports."""
    if not _has_colours(ports[-1]):
        raise ConfigurationError(
            "A frozen network of photographs sees grey, RGB or RGBA pictures, and what is judged is a "
            f"{ports[-1].kind} of {ports[-1].channels} channels: set --config.discriminator.kind patch"
        )
    ends = list(accumulate(port.channels for port in ports))
    return [slice(end - port.channels, end) for port, end in zip(ports, ends, strict=True) if _has_colours(port)]


def _has_colours(port: PicturePort) -> bool:
    return isinstance(port, Picture) and port.channels in (1, 3, 4)


def _unet(config: DiscriminatorConfig, ports: Sequence[PicturePort]) -> MultiScaleDiscriminator:
    inputs = sum(port.channels for port in ports)
    return MultiScaleDiscriminator(
        discriminators=[
            UNetDiscriminator(inputs=inputs, width=config.width, halvings=config.layers) for _ in range(config.scales)
        ]
    )


_BUILDERS: Mapping[str, Callable[[DiscriminatorConfig, Sequence[PicturePort]], DiscriminatorNetwork]] = {
    "patch": _patch,
    "unet": _unet,
    "projected": _projected,
    "patch+projected": _joint,
}
