"""DCGAN's two chains of convolutions: noise to picture, picture to features.

Radford, Metz and Chintala 2016, https://arxiv.org/abs/1511.06434. Sizes go from 4 px to the picture's by doubling, or
back by halving; the first published size is 64 px, and others have as many stages as they need.
"""

from collections.abc import Mapping
from itertools import pairwise

from torch import nn

from translate.networks.blocks import LEAK, halving_stage
from translate.networks.choice import choose
from translate.networks.dense import dense_stages
from translate.networks.fan_in import LEAKY_GAIN, RELU_GAIN, scale_by_fan_in
from translate.networks.initialise import initialise
from translate.networks.norm import Norm, needs_bias, norm_layer
from translate.networks.resample import Doubling, Resampling, nearest, smooth, strided, transposed
from translate.networks.shapes import SEED_PX, Shape, doublings, level_widths

_DOUBLINGS: Mapping[str, Doubling] = {"paper": transposed(kernel=4), "blur": smooth(), "nearest": nearest()}


def dcgan_generator(
    inputs: int, shape: Shape, *, width: int, norm: Norm, resampling: Resampling = "paper", dense: int = 0
) -> nn.Sequential:
    """N x `inputs` to N x C x S x S in [-1, 1]; `width` channels lie at S / 2, twice as many a level inwards.

    `dense` is the width of a dense layer before the first maps, as InfoGAN has one; 0 for none.

    With batch norm no layer has a bias and weights are from N(0, 0.02), as published: 3,576,704 weights for 100
    inputs, width 64 and (3, 64, 64). Without, nothing would make good what 0.02 takes away: they are drawn by fan-in.
    """
    doubling = choose(_DOUBLINGS, resampling, "resampling")
    widths = level_widths(width, doublings(shape, "dcgan"))[::-1]
    hidden = dense_stages(
        inputs, (dense,) if dense else (), activation="relu", batch_norm=[norm == "batch"] * bool(dense)
    )
    stages: list[nn.Module] = [*hidden, _seed(dense or inputs, widths[0], norm)]
    for given, made in pairwise(widths):
        stages.append(_active(doubling.build(given, made, needs_bias(norm)), made, norm))
    last = doubling.build(widths[-1], shape[0], needs_bias(norm))
    scale_by_fan_in(last, 1.0)
    network = nn.Sequential(*stages, last, nn.Tanh())
    draw_as_published(network, norm)
    return network


def dcgan_stages(shape: Shape, *, width: int, norm: Norm, dense: int = 0) -> tuple[list[nn.Module], int]:
    """Strided convolutions from N x C x S x S down to 4 px, flat; and how many features that is.

    `dense` is the width of a dense layer behind them, as InfoGAN has one; 0 for none.

    The first stage has no norm. With the score, 2,765,568 weights for width 64 and (3, 64, 64). Weights are drawn by
    fan-in: with batch norm the whole discriminator is then drawn as published.
    """
    widths = level_widths(width, doublings(shape, "dcgan"))
    stages = [
        halving_stage(
            strided(kernel=4),
            given,
            made,
            norm=norm if level else "none",
            bias=needs_bias(norm),
            activation=nn.LeakyReLU(LEAK),
        )
        for level, (given, made) in enumerate(pairwise([shape[0], *widths]))
    ]
    stages[-1].append(nn.Flatten())
    for stage in stages:
        scale_by_fan_in(stage, LEAKY_GAIN)
    features = widths[-1] * SEED_PX**2
    if not dense:
        return list(stages), features
    hidden = dense_stages(features, (dense,), activation="leaky-relu", batch_norm=[norm == "batch"])
    return [*stages, *hidden], dense


def draw_as_published(network: nn.Module, norm: str) -> None:
    """With batch norm, every layer's weights from N(0, 0.02), in place; without, what was drawn by fan-in stays."""
    if norm == "batch":
        initialise(network)


def _seed(inputs: int, outputs: int, norm: Norm) -> nn.Sequential:
    """N x `inputs` to N x `outputs` x 4 x 4; the paper's projection of the noise."""
    projection = nn.Linear(inputs, outputs * SEED_PX**2, bias=needs_bias(norm))
    unfolded = nn.Sequential(projection, nn.Unflatten(1, (outputs, SEED_PX, SEED_PX)))
    return _active(unfolded, outputs, norm)


def _active(layer: nn.Module, channels: int, norm: Norm) -> nn.Sequential:
    scale_by_fan_in(layer, RELU_GAIN)
    return nn.Sequential(layer, norm_layer(norm, channels), nn.ReLU())
