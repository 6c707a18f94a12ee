"""A U-Net that scores every pixel of a picture in the light of its surroundings, with spectral norm.

Wang et al. 2021, Real-ESRGAN, https://arxiv.org/abs/2107.10833, section 3.2, after Schönfeld et al. 2020,
https://arxiv.org/abs/2002.12655.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from translate.networks.blocks import LEAK
from translate.networks.choice import at_least
from translate.networks.norm import spectrally_normalise


class UNetDiscriminator(nn.Module):
    """Scores, N x 1 x H x W, of N x `inputs` x H x W, H and W at least `at_least_px`: high where it looks real.

    `halvings` (published: 3) down, with `width` times 1, 2, 4, 8 channels, and up again bilinearly, adding what was
    there at each size; three convolutions follow. All but the first and the last convolution are spectrally normalised.
    Odd sizes are brought back exactly. Scores are logits.
    """

    def __init__(self, *, inputs: int = 3, width: int = 64, halvings: int = 3) -> None:
        super().__init__()
        at_least(1, halvings, "--config.discriminator.layers")
        widths = [width * min(2**level, 8) for level in range(halvings + 1)]
        self.at_least_px = 2**halvings
        self.first = nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), nn.LeakyReLU(LEAK))
        self.down = nn.Sequential(*(_halved(*pair) for pair in pairwise(widths)))
        self.up = nn.Sequential(*(_same(*pair) for pair in pairwise(widths[::-1])))
        self.late = nn.Sequential(_same(width, width), _same(width, width))
        self.last = nn.Conv2d(width, 1, 3, padding=1)
        for part in (self.down, self.up, self.late):
            spectrally_normalise(part)

    def forward(self, pictures: Tensor) -> Tensor:
        """The score of every pixel."""
        return self.features(pictures)[-1]

    def features(self, pictures: Tensor) -> list[Tensor]:
        """What each stage makes of the pictures, in order; the last are the scores that `forward` gives."""
        downwards = list(_each(self.down, self.first(pictures)))
        maps, upwards = downwards[-1], list[Tensor]()
        for stage, skip in zip(self.up, reversed(downwards[:-1]), strict=True):
            maps = stage(_enlarged(maps, skip)) + skip
            upwards.append(maps)
        late = list(_each(self.late, maps))[1:]
        return [*downwards, *upwards, *late, cast(Tensor, self.last(late[-1]))]


def _each(stages: nn.Sequential, maps: Tensor) -> Iterator[Tensor]:
    """What goes in, and what each stage makes of it."""
    yield maps
    for stage in stages:
        maps = stage(maps)
        yield maps


def _enlarged(maps: Tensor, like: Tensor) -> Tensor:
    """As large as `like`: twice the size, or a pixel more where that was odd."""
    return functional.interpolate(maps, size=like.shape[-2:], mode="bilinear", align_corners=False)


def _halved(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, padding=1, bias=False), nn.LeakyReLU(LEAK))


def _same(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.LeakyReLU(LEAK))
