"""PatchGAN: a discriminator that scores every patch of a picture, Isola et al., https://arxiv.org/abs/1611.07004.

Scores are logits: no sigmoid. Spectral norm, https://arxiv.org/abs/1802.05957, is an option beside any norm.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from translate.networks.blocks import LEAK, halving_stage
from translate.networks.choice import at_least, choose
from translate.networks.norm import Norm, needs_bias, norm_layer, spectrally_normalise
from translate.networks.receptive import Step, sight
from translate.networks.resample import Downsampling, Halving, blurred, strided

_HALVINGS: dict[str, Halving] = {"paper": strided(kernel=4), "blur": blurred(kernel=4, taps=3)}


class Discriminator(nn.Module):
    """A chain of stages, the last of which gives the scores.

    `receptive_field_px` is the side of the patch that one score sees; `at_least_px` is the least height and width.
    """

    receptive_field_px: int
    at_least_px: int

    def __init__(self, stages: Iterator[nn.Module], *, spectral_norm: bool) -> None:
        super().__init__()
        self.stages = nn.Sequential(*stages)
        if spectral_norm:
            spectrally_normalise(self.stages)

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores, N x 1 x H' x W', of N x `inputs` x H x W: high where a patch looks real."""
        return self.stages(pictures)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """What each stage makes of the pictures, in order; the last are the scores that `forward` gives."""
        maps: list[Tensor] = []
        for stage in self.stages:
            pictures = stage(pictures)
            maps.append(pictures)
        return maps


class PatchDiscriminator(Discriminator):
    """Scores patches of 16, 34, 70, 142 or 286 px for 1 to 5 `layers` that halve (the papers' resampling).

    Stage i has `width` * min(2 ** i, 8) channels; the first has no norm. Two convolutions of stride 1 follow.
    """

    def __init__(
        self,
        *,
        inputs: int = 3,
        width: int = 64,
        layers: int = 3,
        norm: Norm = "instance",
        resampling: Downsampling = "paper",
        spectral_norm: bool = False,
    ) -> None:
        halving = choose(_HALVINGS, resampling, "resampling")
        at_least(1, layers, "layers")
        super().__init__(_patch_stages(halving, inputs, width, layers, norm), spectral_norm=spectral_norm)
        last = Step(kernel=4, padding=1)
        self.receptive_field_px = sight([*halving.steps * layers, last, last]).field_px
        # Each of the two last convolutions takes a pixel away, and an instance norm between them needs 2 x 2.
        self.at_least_px = 3 * 2**layers


class PixelDiscriminator(Discriminator):
    """Scores every pixel on its own: 1 x 1 convolutions, a receptive field of 1, any size."""

    def __init__(
        self, *, inputs: int = 3, width: int = 64, norm: Norm = "instance", spectral_norm: bool = False
    ) -> None:
        super().__init__(_pixel_stages(inputs, width, norm), spectral_norm=spectral_norm)
        self.receptive_field_px = 1
        self.at_least_px = 2


def _patch_stages(halving: Halving, inputs: int, width: int, layers: int, norm: Norm) -> Iterator[nn.Module]:
    widths = [inputs, *(width * min(2**level, 8) for level in range(layers + 1))]
    for level in range(layers):
        yield halving_stage(
            halving,
            widths[level],
            widths[level + 1],
            norm=norm if level > 0 else "none",
            bias=needs_bias(norm) or level == 0,
            activation=nn.LeakyReLU(LEAK),
        )
    yield nn.Sequential(
        nn.Conv2d(widths[-2], widths[-1], 4, padding=1, bias=needs_bias(norm)),
        norm_layer(norm, widths[-1]),
        nn.LeakyReLU(LEAK),
    )
    yield nn.Conv2d(widths[-1], 1, 4, padding=1)


def _pixel_stages(inputs: int, width: int, norm: Norm) -> Iterator[nn.Module]:
    yield nn.Sequential(nn.Conv2d(inputs, width, 1), nn.LeakyReLU(LEAK))
    yield nn.Sequential(
        nn.Conv2d(width, 2 * width, 1, bias=needs_bias(norm)), norm_layer(norm, 2 * width), nn.LeakyReLU(LEAK)
    )
    # The reference code has a bias here only where its norm leaves room for one.
    yield nn.Conv2d(2 * width, 1, 1, bias=needs_bias(norm))
