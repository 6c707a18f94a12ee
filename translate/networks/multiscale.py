"""Several discriminators, each on a picture of half the size of the one before.

Wang et al., pix2pixHD, https://arxiv.org/abs/1711.11585.
"""

from collections.abc import Iterator, Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from translate.networks.choice import at_least
from translate.networks.patch import Discriminator
from translate.networks.unet_discriminator import UNetDiscriminator

OneScale = Discriminator | UNetDiscriminator
"""What scores pictures of one size: `forward`, `features`, `at_least_px`."""


class MultiScaleDiscriminator(nn.Module):
    """Runs `discriminators`, finest first, on N x C x H x W and its averages at 1/2, 1/4 ... of the size."""

    def __init__(self, *, discriminators: Sequence[OneScale]) -> None:
        super().__init__()
        at_least(1, len(discriminators), "the number of discriminators")
        self.scales = nn.ModuleList(discriminators)
        self.at_least_px = max(
            discriminator.at_least_px * 2**scale for scale, discriminator in enumerate(discriminators)
        )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Scores of every scale, finest first."""
        return [discriminator(level) for discriminator, level in self._levels(pictures)]

    def features(self, pictures: Tensor) -> list[list[Tensor]]:
        """The features of every scale, finest first; the last of each are its scores."""
        return [discriminator.features(level) for discriminator, level in self._levels(pictures)]

    def _levels(self, pictures: Tensor) -> Iterator[tuple[OneScale, Tensor]]:
        for scale, discriminator in enumerate(self.scales):
            if scale > 0:
                # Borders are averages of the pixels that are there, so a constant picture stays constant.
                pictures = functional.avg_pool2d(pictures, 3, stride=2, padding=1, count_include_pad=False)
            yield cast(OneScale, discriminator), pictures
