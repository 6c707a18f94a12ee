"""Generators that make samples from noise, as configuration: what a recipe says, and the network it stands for.

They are the decoders of auto-encoders too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from translate.errors import ConfigurationError
from translate.networks.choice import at_least, choose
from translate.networks.dcgan import dcgan_generator
from translate.networks.dense import ActivationName, dense_stages
from translate.networks.fan_in import scaled_by_fan_in
from translate.networks.labels import LabelCode, known_label
from translate.networks.r3 import r3_generator
from translate.networks.resample import Resampling
from translate.networks.shapes import Shape, is_picture, numel


class LatentGenerator(nn.Module):
    """N x `latent` noise, and N labels where it knows `classes`, to N x *`shape` samples.

    `body` takes the noise with the label's code behind it.
    """

    def __init__(self, *, body: nn.Module, shape: Shape, latent: int, classes: int, labels: LabelCode | None) -> None:
        super().__init__()
        self.shape, self.latent, self.classes = shape, latent, classes
        self.body = body
        self.labels = labels

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Samples. Raises ConfigurationError for labels that are missing, or given to a network without classes."""
        label = known_label(label, self.classes)
        if self.labels is not None and label is not None:
            z = torch.cat([z, self.labels(label)], dim=1)
        return self.body(z)


@dataclass(frozen=True, kw_only=True)
class LatentGeneratorConfig:
    """A generator that makes samples from noise."""

    kind: Literal["mlp", "dcgan", "r3"] = "dcgan"
    """Dense layers, for any shape; DCGAN's transposed convolutions; or R3GAN's residual blocks without norm. The last
    two make squares of 8, 16, 32, ... px."""
    widths: tuple[int, ...] = (1200, 1200)
    """MLP: widths of the hidden layers."""
    activation: ActivationName = "relu"
    """MLP: after every hidden layer; with softplus and batch norm it is that of Salimans et al. 2016."""
    width: int = 64
    """dcgan, r3: channels of the outermost maps; they double with every halving of the size, up to 8 times."""
    dense: int = 0
    """dcgan: width of a dense layer before the first maps, so that each map depends on all of the noise and the codes
    together; 1024 as published for InfoGAN. 0: none."""
    blocks: int = 2
    """r3: residual blocks at every size."""
    norm: Literal["none", "batch"] = "batch"
    """Of hidden layers; r3 takes none alone."""
    resampling: Resampling = "paper"
    """dcgan: transposed convolutions as in the paper, or nearest neighbour (or bilinear: blur) then a convolution,
    which leaves no checkerboard."""
    embedding: int = 32
    """Size of the learnt code of a class beside the noise; 0: one-hot."""

    def build(self, shape: Shape, latent: int, classes: int = 0) -> LatentGenerator:
        """The network with its first weights.

        Args:
            shape: of what it makes, (C, H, W) or (D,). Pictures are in [-1, 1] (r3: about), vectors unbounded.
            latent: size of the noise.
            classes: of the labels that it is given; 0 for none.

        Raises:
            ConfigurationError: for a shape that the kind cannot make.
        """
        labels = LabelCode(classes=classes, embedding=self.embedding) if classes else None
        inputs = at_least(1, latent, "latent") + (labels.size if labels is not None else 0)
        body = choose(_BUILDERS, self.kind, "kind")(self, inputs, shape)
        return LatentGenerator(body=body, shape=shape, latent=latent, classes=classes, labels=labels)


def _mlp(config: LatentGeneratorConfig, inputs: int, shape: Shape) -> nn.Module:
    norms = [config.norm == "batch"] * len(config.widths)
    hidden = dense_stages(inputs, config.widths, activation=config.activation, batch_norm=norms)
    last = scaled_by_fan_in(nn.Linear([inputs, *config.widths][-1], numel(shape)))
    ending = [nn.Unflatten(1, shape), nn.Tanh()] if is_picture(shape) else []
    return nn.Sequential(*hidden, last, *ending)


def _dcgan(config: LatentGeneratorConfig, inputs: int, shape: Shape) -> nn.Module:
    return dcgan_generator(
        inputs, shape, width=config.width, norm=config.norm, resampling=config.resampling, dense=config.dense
    )


def _r3(config: LatentGeneratorConfig, inputs: int, shape: Shape) -> nn.Module:
    if config.norm != "none":
        raise ConfigurationError(
            f"--config.generator.norm (of an auto-encoder --config.decoder.norm) is {config.norm}, and a network of "
            "kind r3 has none: choose norm none"
        )
    return r3_generator(inputs, shape, width=config.width, blocks=config.blocks)


_BUILDERS: Mapping[str, Callable[[LatentGeneratorConfig, int, Shape], nn.Module]] = {
    "mlp": _mlp,
    "dcgan": _dcgan,
    "r3": _r3,
}
