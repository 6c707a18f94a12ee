"""Fixed random mixing of feature maps: what keeps a discriminator over frozen features from attending to a few of them.

Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, https://arxiv.org/abs/2111.01007, section 3.2.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class FixedConvolution(nn.Module):
    """A convolution with random weights that never learn, keeping size and, on average, variance.

    The weights are a buffer: a checkpoint holds them, since they were drawn; an optimiser does not find them.
    """

    weight: Tensor

    def __init__(self, inputs: int, outputs: int, *, kernel: int) -> None:
        super().__init__()
        weight = torch.empty(outputs, inputs, kernel, kernel)
        self.register_buffer("weight", nn.init.kaiming_normal_(weight, nonlinearity="linear"))

    def forward(self, maps: Tensor) -> Tensor:
        """N x `inputs` x H x W to N x `outputs` x H x W."""
        return functional.conv2d(maps, self.weight, padding="same")


class RandomMixing(nn.Module):
    """Mixes channels at every scale by 1 x 1 convolutions, then coarse scales into finer ones by 3 x 3 convolutions.

    `inputs` are the channels of the maps, finest first. Scale i leaves with `widths`[i] channels.
    """

    def __init__(self, *, inputs: Sequence[int], width: int) -> None:
        super().__init__()
        self.widths = [width * 2**scale for scale in range(len(inputs))]
        self.across_channels = nn.ModuleList(
            FixedConvolution(given, mixed, kernel=1) for given, mixed in zip(inputs, self.widths, strict=True)
        )
        self.across_scales = nn.ModuleList(
            FixedConvolution(coarse, fine, kernel=3)
            for fine, coarse in zip(self.widths[:-1], self.widths[1:], strict=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Maps of any sizes, N x C_i x H_i x W_i finest first, to maps of the same sizes with `widths` channels."""
        mixed = [mix(one) for mix, one in zip(self.across_channels, maps, strict=True)]
        for scale in reversed(range(len(mixed) - 1)):
            mixed[scale] = mixed[scale] + self._enlarged(mixed[scale + 1], like=mixed[scale], scale=scale)
        return mixed

    def _enlarged(self, coarse: Tensor, *, like: Tensor, scale: int) -> Tensor:
        # Mixed before it is enlarged: the same field of view in coarse pixels, at a quarter of the work.
        mixed = cast(Tensor, self.across_scales[scale](coarse))
        return functional.interpolate(mixed, size=like.shape[2:], mode="bilinear", align_corners=False)
