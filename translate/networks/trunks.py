"""What looks at whole samples: the trunk that discriminators, classifiers and encoders have in common.

`SampleFeatures` turns samples (and labels) into flat features, each sample's by itself but for batch norm;
`TrunkConfig` is how a recipe says which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.all_convolutional import classifying_stages
from translate.networks.choice import at_least, choose
from translate.networks.dcgan import dcgan_stages, draw_as_published
from translate.networks.dense import ActivationName, dense_stages, maxout_stages
from translate.networks.disturbance import disturbance, disturbed
from translate.networks.fan_in import scaled_by_fan_in
from translate.networks.labels import LabelCode, beside
from translate.networks.norm import Norm
from translate.networks.packing import packed
from translate.networks.r3 import r3_stages
from translate.networks.shapes import Shape, is_picture, numel
from translate.networks.weight_bounds import bind_weights

TrunkKind = Literal["mlp", "maxout", "dcgan", "r3", "conv"]
SampleNorm = Literal["none", "batch", "spectral", "weight"]
Stages = tuple[list[nn.Module], int]


class SampleFeatures(nn.Module):
    """N x *shape samples to N / `packing` x `size` features.

    In this order: what `disturbs` the samples, packing, flattening where `flat`, the labels' codes beside, `trunk`.
    """

    def __init__(
        self, *, disturbs: nn.Module, packing: int, flat: bool, labels: LabelCode | None, trunk: nn.Module, size: int
    ) -> None:
        super().__init__()
        self.disturbs = disturbs
        self.packing, self.flat, self.size = packing, flat, size
        self.labels = labels
        self.trunk = trunk

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """Features; the label is looked at only where it was asked for."""
        x = packed(self.disturbs(x), self.packing)
        if self.flat:
            x = x.flatten(1)
        if self.labels is not None and label is not None:
            x = beside(x, packed(self.labels(label), self.packing))
        return self.trunk(x)


@dataclass(frozen=True, kw_only=True)
class TrunkConfig:
    """How a network looks at whole samples."""

    kind: TrunkKind = "dcgan"
    """Dense layers, or maxout layers, for any shape; DCGAN's strided convolutions, or R3GAN's residual blocks without
    norm, for squares of 8, 16, 32, ... px; or the nine convolutions of Salimans et al. 2016, from 12 px."""
    widths: tuple[int, ...] = (240, 240)
    """MLP, maxout: widths of the hidden layers."""
    activation: ActivationName = "leaky-relu"
    """MLP: after every hidden layer."""
    pieces: int = 5
    """Maxout: linear pieces of every unit."""
    width: int = 64
    """dcgan, r3, conv: channels of the outermost maps."""
    dense: int = 0
    """dcgan: width of a dense layer behind the last maps, so that features are of the whole sample; 1024 as published
    for InfoGAN. 0: none."""
    blocks: int = 2
    """r3: residual blocks at every size."""
    norm: SampleNorm = "batch"
    """batch: in all but the first layer (it mixes samples, and may not stand under a gradient penalty). spectral:
    bounds every layer's largest singular value. weight: length and direction apart. r3 takes none alone, maxout no
    batch."""
    input_noise: float = 0.0
    """Standard deviation of Gaussian noise on the samples in training."""
    noise: float = 0.0
    """The same before every other layer (conv: before every group of layers)."""
    input_dropout: float = 0.0
    """Probability of dropout on the samples in training; Goodfellow et al. 2014 take 0.2."""
    dropout: float = 0.0
    """The same where noise would be; they take 0.5."""
    embedding: int = 32
    """Size of the learnt code of a class beside the sample, where labels are concatenated; 0: one-hot."""

    def features(self, shape: Shape, *, classes: int = 0, packing: int = 1) -> SampleFeatures:
        """The trunk, with its first weights; `classes` is 0 where no label stands beside the sample.

        Raises ConfigurationError for a shape or a norm that the kind cannot take.
        """
        kind = choose(_KINDS, self.kind, "kind")
        kind.require_norm(self)
        labels = LabelCode(classes=classes, embedding=self.embedding) if classes else None
        seen = _seen(shape, flat=kind.flat, packing=at_least(1, packing, "packing"), code=labels.size if labels else 0)
        stages, size = kind.stages(self, seen)
        return SampleFeatures(
            disturbs=disturbance(noise=self.input_noise, dropout=self.input_dropout),
            packing=packing,
            flat=kind.flat,
            labels=labels,
            trunk=nn.Sequential(*disturbed(stages, noise=self.noise, dropout=self.dropout)),
            size=size,
        )

    def last(self, features: int, outputs: int) -> nn.Sequential:
        """The linear layer behind the features; their disturbance is before it, so that features come undisturbed."""
        linear = scaled_by_fan_in(nn.Linear(features, outputs, bias=self.norm != "batch"))
        return nn.Sequential(disturbance(noise=self.noise, dropout=self.dropout), linear)

    def finish(self, network: nn.Module) -> None:
        """First weights and bounds of a network that a trunk of this configuration is part of, in place."""
        _KINDS[self.kind].draw(network, self.norm)
        bind_weights(network, self.norm)


def _seen(shape: Shape, *, flat: bool, packing: int, code: int) -> Shape:
    """What the trunk's first layer is given."""
    if flat or not is_picture(shape):
        return (packing * (numel(shape) + code),)
    return (packing * (shape[0] + code), *shape[1:])


def _by_fan_in(_network: nn.Module, _norm: str) -> None:
    """Its layers were drawn so when they were made."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    stages: Callable[[TrunkConfig, Shape], Stages]
    flat: bool = False
    norms: tuple[str, ...] = ("none", "batch", "spectral", "weight")
    draw: Callable[[nn.Module, str], None] = _by_fan_in

    def require_norm(self, config: TrunkConfig) -> None:
        if config.norm not in self.norms:
            raise ConfigurationError(
                f"norm is {config.norm}, which a network of kind {config.kind} cannot take: choose norm "
                f"{' or '.join(self.norms)}"
            )


def _mlp(config: TrunkConfig, shape: Shape) -> Stages:
    norms = [config.norm == "batch" and level > 0 for level in range(len(config.widths))]
    stages = dense_stages(numel(shape), config.widths, activation=config.activation, batch_norm=norms)
    return list(stages), [numel(shape), *config.widths][-1]


def _maxout(config: TrunkConfig, shape: Shape) -> Stages:
    stages = maxout_stages(numel(shape), config.widths, pieces=config.pieces)
    return list(stages), [numel(shape), *config.widths][-1]


def _dcgan(config: TrunkConfig, shape: Shape) -> Stages:
    return dcgan_stages(shape, width=config.width, norm=_between(config), dense=config.dense)


def _r3(config: TrunkConfig, shape: Shape) -> Stages:
    return r3_stages(shape, width=config.width, blocks=config.blocks)


def _conv(config: TrunkConfig, shape: Shape) -> Stages:
    return classifying_stages(shape, width=config.width, norm=_between(config))


def _between(config: TrunkConfig) -> Norm:
    """The norm as layers of their own; the others act on weights."""
    return "batch" if config.norm == "batch" else "none"


_KINDS: Mapping[str, _Kind] = {
    "mlp": _Kind(stages=_mlp, flat=True),
    "maxout": _Kind(stages=_maxout, flat=True, norms=("none", "spectral", "weight")),
    "dcgan": _Kind(stages=_dcgan, draw=draw_as_published),
    # Its blocks begin with weights of 0, which have no direction.
    "r3": _Kind(stages=_r3, norms=("none",)),
    "conv": _Kind(stages=_conv),
}
