"""Patch discriminators as configuration: what a recipe says, and the network it stands for."""

from dataclasses import dataclass, replace

from translate.networks.initialise import initialise
from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.norm import Norm, norm_at
from translate.networks.patch import Discriminator, PatchDiscriminator, PixelDiscriminator
from translate.networks.resample import Downsampling


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """A discriminator that scores patches, at one or several scales."""

    width: int = 64
    """Channels of the first layer."""
    layers: int = 3
    """Halving layers: 1, 2, 3, 4, 5 see patches of 16, 34, 70, 142, 286 px; 0 scores every pixel on its own."""
    scales: int = 1
    """Discriminators, each on a picture of half the size of the one before."""
    norm: Norm = "batch"
    """Normalisation; it may not be batch under a gradient penalty. Batch at batch size 1 is affine instance norm."""
    resampling: Downsampling = "paper"
    """How sizes are halved: the paper's strided convolutions, or anti-aliased (blur)."""
    spectral_norm: bool = False
    """Bound every layer's largest singular value (Miyato et al. 2018)."""

    def build(self, inputs: int, *, batch_size: int) -> MultiScaleDiscriminator:
        """The network for training batches of `batch_size`, with weights from N(0, 0.02)."""
        fitted = replace(self, norm=norm_at(self.norm, batch_size))
        network = MultiScaleDiscriminator(discriminators=[fitted._one(inputs) for _ in range(self.scales)])
        initialise(network)
        return network

    def _one(self, inputs: int) -> Discriminator:
        if self.layers == 0:
            return PixelDiscriminator(inputs=inputs, width=self.width, norm=self.norm, spectral_norm=self.spectral_norm)
        return PatchDiscriminator(
            inputs=inputs,
            width=self.width,
            layers=self.layers,
            norm=self.norm,
            resampling=self.resampling,
            spectral_norm=self.spectral_norm,
        )
