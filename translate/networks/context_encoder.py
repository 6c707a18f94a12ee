"""The context encoder: everything through a narrow middle where each place sees every other, Pathak et al. 2016.

https://arxiv.org/abs/1604.07379, section 3.1. The paper's middle is a *channel-wise fully connected* layer: each map of
g x g places has g^4 weights of its own, which fixes the size of the picture, and a 1 x 1 convolution then mixes the
maps. Pictures here are of any size, so this one shares the weights of equal offsets: one kernel of (2 g - 1) x
(2 g - 1) for each map, with borders of 0. On the grid of the training crop every place still sees every other, map by
map, and a constrained form of the paper's layer is what it computes; on larger pictures it sees as far.
"""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.blocks import LEAK, halving_stage
from translate.networks.choice import at_least
from translate.networks.norm import Norm, needs_bias, norm_layer, tiling_with
from translate.networks.receptive import Step, sight
from translate.networks.resample import strided, transposed

_HALVING, _DOUBLING = strided(kernel=4), transposed(kernel=4)
_MOST = 8
"""Times the first width that a level gets: 64, 128, 256, 512, 512 as in the paper's code."""


class ContextEncoder(nn.Module):
    """N x `inputs` x H x W to N x `outputs` x H x W in [-1, 1]; H and W are multiples of 2 ** `down`.

    The inputs are the picture, 0 in its holes, and the mask. `grid` is g: crop / 2 ** `down`, at least 2. It sees
    `context_px` to each side, where the norm takes no statistics of the whole picture.

    Raises:
        ConfigurationError: fewer halvings than 1, or a grid under 2.
    """

    def __init__(
        self,
        *,
        inputs: int = 4,
        outputs: int = 3,
        width: int = 64,
        down: int = 4,
        grid: int = 8,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, _MOST) for level in range(at_least(1, down, "--config.generator.down"))]
        reach = at_least(2, grid, "the crop over 2 ** --config.generator.down") - 1
        # Instance norm cannot take a map of one pixel.
        self.size_rule = SizeRule(multiple_of_px=2**down, at_least_px=2 ** (down + 1))
        self.tiling: Tiling = tiling_with(norm)
        self.context_px = sight(_steps(down, reach), period=2**down).context_px
        self.encoder = nn.Sequential(*_encoder([inputs, *widths], norm))
        self.middle = nn.Sequential(*_middle(widths[-1], reach, norm))
        self.decoder = nn.Sequential(*_decoder(widths[::-1], norm))
        self.tail = nn.Sequential(_DOUBLING.build(widths[0], outputs, True), nn.Tanh())

    def forward(self, picture: Tensor) -> Tensor:
        """The whole picture, made anew; known pixels are put back by who calls."""
        return self.tail(self.decoder(self.middle(self.encoder(picture))))


def _encoder(widths: list[int], norm: Norm) -> Iterator[nn.Module]:
    for level, (given, made) in enumerate(pairwise(widths)):
        kind: Norm = norm if level else "none"  # the first has none, as in DCGAN
        yield halving_stage(_HALVING, given, made, norm=kind, bias=needs_bias(kind), activation=nn.LeakyReLU(LEAK))


def _middle(channels: int, reach: int, norm: Norm) -> Iterator[nn.Module]:
    # No activation in between: in the paper the two are one linear layer, split so as to have fewer weights.
    yield nn.Conv2d(channels, channels, 2 * reach + 1, padding=reach, groups=channels, bias=False)
    yield nn.Conv2d(channels, channels, 1, bias=needs_bias(norm))
    yield norm_layer(norm, channels)
    yield nn.ReLU()


def _decoder(widths: list[int], norm: Norm) -> Iterator[nn.Module]:
    for given, made in pairwise(widths):
        yield nn.Sequential(_DOUBLING.build(given, made, needs_bias(norm)), norm_layer(norm, made), nn.ReLU())


def _steps(down: int, reach: int) -> list[Step]:
    middle = Step(kernel=2 * reach + 1, padding=reach)
    return [*_HALVING.steps * down, middle, *_DOUBLING.steps * down]
