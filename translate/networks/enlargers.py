"""Networks that enlarge as configuration: what a recipe says, and the network it stands for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal, cast

from torch import nn

from translate.networks.choice import choose
from translate.networks.compact import Compact
from translate.networks.enlargement import Base
from translate.networks.fan_in import RELU_GAIN, scale_by_fan_in, scaled_by_fan_in
from translate.networks.norm import Norm
from translate.networks.rrdb import RESIDUAL_SCALE, RRDB
from translate.networks.srresnet import SRResNet

EnlargerNetwork = Compact | SRResNet | RRDB
"""What they have in common: N x C x H x W to N x C x `scale` H x `scale` W, `size_rule`, `tiling`, `context_px`."""

_PRELU_GAIN = sqrt(2.0 / (1.0 + 0.25**2))
"""For torch's first slope of PReLU, 0.25."""
_RESIDUAL_GAIN = 0.1 * RELU_GAIN
"""A tenth inside residuals, as ESRGAN draws them (https://arxiv.org/abs/1809.00219, section 3.1)."""
_LAST_GAIN = 0.01
"""Of what is added to the enlarged input: it begins as nearly nothing."""


@dataclass(frozen=True, kw_only=True)
class EnlargerConfig:
    """A network that enlarges pictures."""

    kind: Literal["compact", "srresnet", "rrdb"] = "compact"
    """Compact: a plain row of convolutions, for CPUs and video. SRResNet: residual blocks. RRDB: ESRGAN's dense blocks,
    several times slower and finer."""
    width: int = 32
    """Channels; the published networks have 64."""
    blocks: int = 8
    """Compact: convolutions between the first and the last (published: 16 or 32). SRResNet: residual blocks (16). RRDB:
    groups of three dense blocks (23)."""
    growth: int = 32
    """RRDB: channels that each convolution of a dense block adds."""
    norm: Norm = "none"
    """SRResNet: normalisation inside the blocks; the first paper has batch, and its successors none."""
    base: Base = "bilinear"
    """The plain enlargement that the network adds to: it begins as that, and learns what it lacks. Published: compact
    nearest, SRResNet bilinear, RRDB none."""

    def build(self, channels: int, scale: int) -> EnlargerNetwork:
        """The network for pictures of `channels`, to be made `scale` times as large (2, 3, 4, 8).

        Untrained, it gives nearly the plain enlargement.

        Raises ConfigurationError for a kind or a scale that there is not.
        """
        return choose(_BUILDERS, self.kind, "--config.generator.kind")(self, channels, scale)


def _compact(config: EnlargerConfig, channels: int, scale: int) -> EnlargerNetwork:
    network = Compact(channels=channels, width=config.width, convolutions=config.blocks, scale=scale, base=config.base)
    scale_by_fan_in(network, _PRELU_GAIN)
    _begin_with_nothing(network.body)
    return network


def _srresnet(config: EnlargerConfig, channels: int, scale: int) -> EnlargerNetwork:
    network = SRResNet(
        channels=channels,
        width=config.width,
        blocks=config.blocks,
        scale=scale,
        norm=config.norm,
        base=config.base,
    )
    scale_by_fan_in(network, RELU_GAIN)
    scale_by_fan_in(network.body, _RESIDUAL_GAIN)
    _begin_with_nothing(network.last)
    return network


def _rrdb(config: EnlargerConfig, channels: int, scale: int) -> EnlargerNetwork:
    network = RRDB(
        channels=channels,
        width=config.width,
        blocks=config.blocks,
        growth=config.growth,
        scale=scale,
        base=config.base,
    )
    scale_by_fan_in(network, RELU_GAIN)
    scale_by_fan_in(network.body, _RESIDUAL_GAIN)
    # Dense blocks begin as nearly the identity, so each group gives x + 0.2 x: 23 groups make it 66 times as large.
    scaled_by_fan_in(network.after_body, (1.0 + RESIDUAL_SCALE) ** -config.blocks)
    _begin_with_nothing(network.last)
    return network


def _begin_with_nothing(stages: nn.Sequential) -> None:
    scaled_by_fan_in(cast(nn.Conv2d, stages[-1]), _LAST_GAIN)


_BUILDERS: Mapping[str, Callable[[EnlargerConfig, int, int], EnlargerNetwork]] = {
    "compact": _compact,
    "srresnet": _srresnet,
    "rrdb": _rrdb,
}
