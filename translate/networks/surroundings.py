"""A plain filling of holes from what surrounds them, for a network to start from.

Normalised convolution (Knutsson and Westin 1993, "Normalized and differential convolution", CVPR) from coarse to fine:
known pixels are blurred, their mask is blurred alike, and the quotient of the two is the mean of what is known nearby.
Where little is known at one scale, the next coarser one has its say.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from translate.card import SizeRule, Tiling

_GRID_PX = 8
_DILATIONS = (16, 8, 4, 2, 1)
"""On a grid of 8 px a kernel of five taps then sees 256, 128, 64, 32 and 16 px to each side."""
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)
_ENOUGH = 0.01
"""A scale at which so much of the surroundings is known needs no coarser one. Of 0.003 to 0.25 the smaller ones were
nearest to training photos (17.3 levels in the hole, 19.3 at 0.25)."""
_TINY = 1e-4


class Surroundings(nn.Module):
    """N x C x H x W with its holes filled smoothly; H and W are multiples of 8. Has no weights to train."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(_BINOMIAL) / sum(_BINOMIAL)
        self.register_buffer("kernel", torch.outer(taps, taps)[None, None], persistent=False)

    def forward(self, picture: Tensor, hole: Tensor) -> Tensor:
        """The picture; `hole` is N x 1 x H x W, 1 where to fill. What stands in the hole has no say."""
        known = 1.0 - hole
        weighted = torch.cat([picture * known, known], dim=1)
        filled = _quotient(weighted.mean(dim=(2, 3), keepdim=True))
        coarse = functional.avg_pool2d(weighted, _GRID_PX)
        for dilation in _DILATIONS:
            filled = _blend(self._blurred(coarse, dilation), filled)
        for step in (4, 2, 1):
            finer = functional.avg_pool2d(weighted, step) if step > 1 else weighted
            filled = _blend(self._blurred(finer, 1), functional.interpolate(filled, scale_factor=2.0, mode="bilinear"))
        return picture * known + filled * hole

    def _blurred(self, maps: Tensor, dilation: int) -> Tensor:
        """Zeros beyond the border are as unknown as a hole."""
        channels = maps.shape[1]
        kernel = self.kernel.to(maps.dtype).expand(channels, 1, -1, -1)
        return functional.conv2d(maps, kernel, padding=2 * dilation, dilation=dilation, groups=channels)


def _quotient(weighted: Tensor) -> Tensor:
    return weighted[:, :-1] / weighted[:, -1:].clamp(min=_TINY)


def _blend(weighted: Tensor, coarser: Tensor) -> Tensor:
    trust = (weighted[:, -1:] / _ENOUGH).clamp(max=1.0)
    return trust * _quotient(weighted) + (1.0 - trust) * coarser


class FromSurroundings(nn.Module):
    """The plain filling + 2 `network`(it, and the mask): the network learns what the filling lacks.

    Takes and gives what the network does. `tiling` is forbidden, since the filling may come from anywhere.
    """

    tiling: Tiling = "forbidden"
    context_px: int | None = None

    def __init__(self, *, network: nn.Module, size_rule: SizeRule) -> None:
        super().__init__()
        self.network = network
        self.surroundings = Surroundings()
        multiple_px = max(_GRID_PX, size_rule.multiple_of_px)
        self.size_rule = SizeRule(multiple_of_px=multiple_px, at_least_px=max(multiple_px, size_rule.at_least_px))

    def forward(self, known: Tensor) -> Tensor:
        """N x (C + 1) x H x W, the mask (1 in the hole, -1 elsewhere) last, to N x C x H x W, about [-1, 1]."""
        picture, mask = known[:, :-1], known[:, -1:]
        filled = self.surroundings(picture, (mask > 0).to(picture.dtype))
        return filled + 2.0 * self.network(torch.cat([filled, mask], dim=1))
