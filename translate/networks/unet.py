"""The U-Net: an encoder to one pixel and a decoder that sees each of the encoder's maps beside its own.

Isola et al., https://arxiv.org/abs/1611.07004, after Ronneberger et al., https://arxiv.org/abs/1505.04597.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from translate.card import SizeRule, Tiling
from translate.networks.blocks import LEAK, dropout_layer, halving_stage
from translate.networks.choice import at_least, choose
from translate.networks.norm import Norm, needs_bias, norm_layer
from translate.networks.resample import Doubling, Halving, Resampling, blurred, nearest, smooth, strided, transposed

# The blur has four taps, so that encoder and decoder mean the same place by the same pixel of a level.
_HALVINGS: dict[str, Halving] = {
    "paper": strided(kernel=4),
    "blur": blurred(kernel=3, taps=4),
    "nearest": strided(kernel=4),
}
_DOUBLINGS: dict[str, Doubling] = {"paper": transposed(kernel=4), "blur": smooth(), "nearest": nearest()}


class UNet(nn.Module):
    """N x `inputs` x H x W in [-1, 1] to N x `outputs` x H x W in [-1, 1]; H and W are multiples of 2 ** `depth`.

    `depth` counts halvings: 8 is the papers' U-Net-256, 7 their U-Net-128, 6 fits 64 px. Level i has
    `width` * min(2 ** i, 8) channels. `dropout` (the paper's is 0.5) acts in the decoder between levels of full
    width, except at the innermost: three times at depth 8, not at all at depth 5 and under.

    At the least size, 2 ** `depth`, the innermost map is one pixel; no norm acts there, so every norm works, in
    training too. One output pixel sees farther than most pictures reach, so tiling is forbidden.
    """

    tiling: Tiling = "forbidden"
    context_px: int | None = None

    def __init__(
        self,
        *,
        inputs: int = 3,
        outputs: int = 3,
        width: int = 64,
        depth: int = 8,
        norm: Norm = "batch",
        resampling: Resampling = "paper",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        widths = [width * min(2**level, 8) for level in range(at_least(2, depth, "depth"))]
        self.size_rule = SizeRule(multiple_of_px=2**depth, at_least_px=2**depth)
        self.down = _encoder(choose(_HALVINGS, resampling, "resampling"), [inputs, *widths], norm)
        self.up = _decoder(choose(_DOUBLINGS, resampling, "resampling"), widths, outputs, norm, dropout)

    def forward(self, picture: Tensor) -> Tensor:
        """The translated picture, of the same height and width."""
        maps = picture
        skips: list[Tensor] = []
        for stage in self.down:
            maps = stage(maps)
            skips.append(maps)
        maps = self.up[0](skips.pop())
        for stage in self.up[1:]:
            maps = stage(torch.cat([skips.pop(), maps], dim=1))
        return maps


def _encoder(halving: Halving, widths: list[int], norm: Norm) -> nn.ModuleList:
    """From the picture inwards. The outermost and the innermost stage have no norm, but the others' kind of bias.

    A stage ends with its activation, so skips carry LeakyReLU(x). The decoder's ReLU makes the same of it as of x.
    """
    bare = {0, len(widths) - 2}
    stages = list[nn.Module]()
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        kind: Norm = "none" if level in bare else norm
        stages.append(
            halving_stage(halving, inputs, outputs, norm=kind, bias=needs_bias(norm), activation=nn.LeakyReLU(LEAK))
        )
    return nn.ModuleList(stages)


def _decoder(doubling: Doubling, widths: list[int], outputs: int, norm: Norm, dropout: float) -> nn.ModuleList:
    """From the innermost map outwards; every stage but the first reads the encoder's maps too."""
    innermost = len(widths) - 1
    stages = list[nn.Module]()
    for level in range(innermost, 0, -1):
        inputs = widths[level] * (1 if level == innermost else 2)
        drops = widths[level - 1] == 8 * widths[0] and level < innermost
        stages.append(_doubling_stage(doubling, inputs, widths[level - 1], norm, dropout if drops else 0.0))
    stages.append(nn.Sequential(nn.ReLU(), doubling.build(2 * widths[0], outputs, True), nn.Tanh()))
    return nn.ModuleList(stages)


def _doubling_stage(doubling: Doubling, inputs: int, outputs: int, norm: Norm, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        doubling.build(inputs, outputs, needs_bias(norm)),
        norm_layer(norm, outputs),
        dropout_layer(dropout),
    )
