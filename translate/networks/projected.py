"""A discriminator that looks through a frozen network: Projected GANs, https://arxiv.org/abs/2111.01007.

Beside a PatchGAN it is the vision-aided discriminator of Kumari et al. 2022, https://arxiv.org/abs/2112.09130, which
helps most where pictures are few. The frozen network is EfficientNet-Lite0: Lite1 judges, and must not train.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.backbones import LazyBackbone
from translate.networks.blocks import LEAK
from translate.networks.frozen import as_rgb
from translate.networks.mixing import RandomMixing
from translate.networks.norm import Norm, needs_bias, norm_layer, spectrally_normalise

CHANNELS = (24, 40, 112, 320)
"""Of EfficientNet-Lite0's maps at 1/4, 1/8, 1/16 and 1/32 of the size: the paper's four."""
_SPREAD = 10.0
"""About the standard deviation of these maps: heads, penalties and spectral norm expect 1."""

Function = TypeVar("Function", bound=Callable[..., object])


def _never_compiled(function: Function) -> Function:
    """`torch.compiler.disable` with its type."""
    return cast(Function, torch.compiler.disable(function))


class ProjectedDiscriminator(nn.Module):
    """Scores patches of frozen feature maps, at `heads` scales: 1/4, 1/8, 1/16 and 1/32 of the size.

    A sample may hold several pictures (pix2pix: input and output). Each is looked at, and its features are mixed, by
    itself; the heads see them side by side. Gradients flow through the frozen network to the pictures. It is built
    when first looked through, and is in no state dict; the random mixing is.

    Args:
        pictures: the channels of each picture within the input; 1, 3 or 4 of them each.
        width: channels of the mixed maps at 1/4 (twice as many a scale on), and of every head.
        heads: 1 to 4.
        norm: normalisation within the heads.
        spectral_norm: bound every head's layers.

    Raises:
        ConfigurationError: for another number of heads.
    """

    def __init__(
        self, *, pictures: Sequence[slice], width: int = 64, heads: int = 4, norm: Norm = "none", spectral_norm: bool
    ) -> None:
        super().__init__()
        if not 1 <= heads <= len(CHANNELS):
            raise ConfigurationError(
                f"--config.discriminator.heads is {heads}: choose 1 to {len(CHANNELS)}, one for each feature map"
            )
        self.pictures = tuple(pictures)
        self.mixing = RandomMixing(inputs=CHANNELS[:heads], width=width)
        self.heads = nn.ModuleList(_head(len(pictures) * mixed, width, norm) for mixed in self.mixing.widths)
        if spectral_norm:
            spectrally_normalise(self.heads)
        # The coarsest map is then 2 x 2: an instance norm needs more than one pixel.
        self.at_least_px = 2 ** (heads + 2)
        self._backbone = LazyBackbone("efficientnet-lite0")

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Scores of every head, N x 1 x H' x W', finest first, of N x C x H x W in [-1, 1]."""
        return [maps[-1] for maps in self.features(pictures)]

    def features(self, pictures: Tensor) -> list[list[Tensor]]:
        """What each head's stages make of the pictures, finest first; the last of each are its scores."""
        return [
            _maps_of(cast(nn.Sequential, head), maps)
            for head, maps in zip(self.heads, self._projected(pictures), strict=True)
        ]

    def _projected(self, pictures: Tensor) -> Iterator[Tensor]:
        """The mixed maps at every scale, those of all pictures of a sample side by side."""
        together = torch.cat([as_rgb(pictures[:, place]) for place in self.pictures])
        for mixed in self.mixing(self._looked_through(together)):
            yield torch.cat(mixed.chunk(len(self.pictures)), dim=1)

    @_never_compiled
    def _looked_through(self, pictures: Tensor) -> Sequence[Tensor]:
        """The frozen maps; to build the network that makes them is nothing that a compiled graph can hold."""
        return [maps / _SPREAD for maps in self._backbone(pictures)[1 : 1 + len(self.heads)]]


def _head(inputs: int, width: int, norm: Norm) -> nn.Sequential:
    """Two 3 x 3 convolutions: every score sees a patch of 5 x 5 of the map."""
    first = nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1, bias=needs_bias(norm)), norm_layer(norm, width), nn.LeakyReLU(LEAK)
    )
    return nn.Sequential(first, nn.Conv2d(width, 1, 3, padding=1))


def _maps_of(head: nn.Sequential, maps: Tensor) -> list[Tensor]:
    seen: list[Tensor] = []
    for stage in head:
        maps = stage(maps)
        seen.append(maps)
    return seen
