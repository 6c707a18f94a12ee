"""Fast Fourier convolution: some channels see their neighbours, the others the whole picture at once.

Chi, Jiang and Mu 2020, https://papers.nips.cc/paper/2020/hash/2fd5d41ec6cfab47e32164d5624269b1-Abstract.html, as LaMa
has it (Suvorov et al. 2022, https://arxiv.org/abs/2109.07161): no local Fourier unit.
"""

import torch
from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.fourier import FourierPlane
from translate.networks.norm import Norm, needs_bias, norm_layer


class FourierUnit(nn.Module):
    """N x `channels` x H x W to the same: every frequency of the whole picture goes through one 1 x 1 convolution.

    Real and imaginary parts are channels of it, followed by a norm and ReLU. It works at any size, since a frequency
    is counted in waves a picture; its norm takes statistics over frequencies.
    """

    def __init__(self, *, channels: int, norm: Norm = "batch") -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(2 * channels, 2 * channels, 1, bias=needs_bias(norm)), norm_layer(norm, 2 * channels), nn.ReLU()
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape."""
        plane = FourierPlane.of(maps)
        return plane.inverse(self.mix(plane.forward(maps)))


class SpectralTransform(nn.Module):
    """N x `channels` x H x W to the same: down to half the channels, x + Fourier unit of x, and up again."""

    def __init__(self, *, channels: int, norm: Norm = "batch") -> None:
        super().__init__()
        inside = channels // 2
        self.narrow = nn.Sequential(
            nn.Conv2d(channels, inside, 1, bias=needs_bias(norm)), norm_layer(norm, inside), nn.ReLU()
        )
        self.unit = FourierUnit(channels=inside, norm=norm)
        self.widen = nn.Conv2d(inside, channels, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape."""
        narrow = self.narrow(maps)
        return self.widen(narrow + self.unit(narrow))


class FastFourierConvolution(nn.Module):
    """N x `channels` x H x W to the same, H and W at least 2: the first channels are local, the last ones global.

    Local ones come from all by a 3 x 3 convolution; global ones from local ones by a 3 x 3 convolution, and from global
    ones by a spectral transform. That is the papers' four paths; two of them are one convolution here. `global_ratio`
    is the part of the channels that is global (LaMa: 0.75). Borders are reflected.

    Raises:
        ConfigurationError: fewer than two channels would be global, or none local.
    """

    def __init__(self, *, channels: int, global_ratio: float = 0.75, norm: Norm = "batch") -> None:
        super().__init__()
        whole = int(channels * global_ratio)
        if not 2 <= whole < channels:
            raise ConfigurationError(
                f"--config.generator.global-ratio {global_ratio} makes {whole} of {channels} channels global: choose "
                "0 < ratio < 1 and a width that leave two or more global ones, and a local one"
            )
        self.local = channels - whole
        self.to_local = _convolution(channels, self.local, norm)
        self.to_global = _convolution(self.local, whole, norm)
        self.spectral = SpectralTransform(channels=whole, norm=norm)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the same shape."""
        near, far = maps[:, : self.local], maps[:, self.local :]
        return torch.cat([self.to_local(maps), self.to_global(near) + self.spectral(far)], dim=1)


def _convolution(inputs: int, outputs: int, norm: Norm) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect", bias=needs_bias(norm))
