"""The networks against hand-counted weights and functional rewrites of the published layers; their first weights."""

import pytest
import torch
from small_networks import weights
from torch import nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.networks.initialise import initialise, initialise_xavier
from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.patch import PatchDiscriminator, PixelDiscriminator
from translate.networks.resnet import ResNet
from translate.networks.unet import UNet

pytestmark = pytest.mark.usefixtures("seeded")


# how many weights: counted by hand


def test_unet_256_has_54_414_million_weights():
    encoder = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 4 * 512 * 512)  # 4 x 4, no bias
    encoder_norms = 2 * (128 + 256 + 4 * 512)  # all but the outermost and the innermost
    decoder = 16 * (512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64)  # inputs double beside a skip
    decoder_norms = 2 * (4 * 512 + 256 + 128 + 64)
    outermost = 16 * 128 * 3 + 3
    by_hand = encoder + encoder_norms + decoder + decoder_norms + outermost
    assert weights(UNet(norm="batch")) == by_hand == 54_413_955


def test_resnet_9_has_11_378_million_weights():
    ends = (49 * 3 * 64 + 64) + (49 * 64 * 3 + 3)  # 7 x 7
    halvings = (9 * 64 * 128 + 128) + (9 * 128 * 256 + 256)
    blocks = 9 * 2 * (9 * 256 * 256 + 256)
    doublings = (9 * 256 * 128 + 128) + (9 * 128 * 64 + 64)
    assert weights(ResNet(norm="instance", blocks=9)) == ends + halvings + blocks + doublings == 11_378_179


@pytest.mark.parametrize(("norm", "inputs", "total"), [("batch", 6, 2_768_705), ("instance", 3, 2_764_737)])
def test_70_px_patchgan_has_2_769_and_2_765_million_weights(norm, inputs, total):
    first, last = 16 * inputs * 64 + 64, 16 * 512 * 1 + 1
    middle = 16 * (64 * 128 + 128 * 256 + 256 * 512)
    # Batch norm: a scale and a shift. Instance norm: none, but a bias in the convolution before it.
    per_channel = {"batch": 2, "instance": 1}[norm] * (128 + 256 + 512)
    assert weights(PatchDiscriminator(inputs=inputs, norm=norm)) == first + middle + per_channel + last == total


def test_pixel_discriminator_weights():
    assert weights(PixelDiscriminator(inputs=6, norm="batch")) == (6 * 64 + 64) + (64 * 128 + 2 * 128) + 128
    assert weights(PixelDiscriminator(inputs=3)) == (3 * 64 + 64) + (64 * 128 + 128) + (128 + 1)


# what they compute: the published topology, rewritten with functions alone, weights in the order of state_dict


def unet_by_recursion(picture, tensors, depth):
    """Pre-activation, from outside in, as the published code nests it; `tensors` in the order of the state dict."""
    take = iter(tensors)
    downs = [[next(take), *_norm_of(take, 0 < level < depth - 1)] for level in range(depth)]
    ups = [[next(take), *_norm_of(take, level > 0)] for level in reversed(range(depth))][::-1]
    bias = next(take)

    def level(maps, index):
        weight, *norm = downs[index]
        inner = functional.conv2d(functional.leaky_relu(maps, 0.2) if index else maps, weight, stride=2, padding=1)
        inner = functional.batch_norm(inner, None, None, *norm, training=True) if norm else inner
        inner = level(inner, index + 1) if index < depth - 1 else inner
        weight, *norm = ups[index]
        outer = functional.conv_transpose2d(inner.relu(), weight, bias if index == 0 else None, stride=2, padding=1)
        if index == 0:
            return outer.tanh()
        return torch.cat([maps, functional.batch_norm(outer, None, None, *norm, training=True)], dim=1)

    assert next(take, None) is None
    return level(picture, 0)


def _norm_of(take, there):
    if not there:
        return []
    scale, shift, _mean, _variance, _count = (next(take) for _ in range(5))
    return [scale, shift]


def test_unet_computes_the_published_recursion():
    network = UNet(inputs=3, outputs=2, width=2, depth=5)
    initialise(network, std=0.3)
    picture = torch.randn(2, 3, 64, 32)
    expected = unet_by_recursion(picture, network.state_dict().values(), depth=5)
    torch.testing.assert_close(network(picture), expected)


def resnet_by_functions(picture, tensors, blocks):
    take = iter(tensors)

    def same(maps, pad):
        maps = functional.pad(maps, (pad,) * 4, mode="reflect")
        return functional.conv2d(maps, next(take), next(take))

    def halve(maps):
        return functional.conv2d(maps, next(take), next(take), stride=2, padding=1)

    def double(maps):
        return functional.conv_transpose2d(maps, next(take), next(take), stride=2, padding=1, output_padding=1)

    norm = functional.instance_norm
    maps = norm(same(picture, 3)).relu()
    for layer in (halve, halve):
        maps = norm(layer(maps)).relu()
    for _ in range(blocks):
        maps = maps + norm(same(norm(same(maps, 1)).relu(), 1))
    for layer in (double, double):
        maps = norm(layer(maps)).relu()
    return same(maps, 3).tanh()


def test_resnet_computes_the_published_layers():
    network = ResNet(width=2, blocks=3)
    picture = torch.randn(2, 3, 16, 24)
    torch.testing.assert_close(network(picture), resnet_by_functions(picture, network.state_dict().values(), 3))


def test_patchgan_computes_the_published_layers():
    network = PatchDiscriminator(width=2, layers=2)
    kernels = list(network.state_dict().values())
    maps = torch.randn(2, 3, 24, 32)
    expected = functional.leaky_relu(functional.conv2d(maps, *kernels[0:2], stride=2, padding=1), 0.2)
    for index, stride in ((2, 2), (4, 1)):
        expected = functional.conv2d(expected, *kernels[index : index + 2], stride=stride, padding=1)
        expected = functional.leaky_relu(functional.instance_norm(expected), 0.2)
    torch.testing.assert_close(network(maps), functional.conv2d(expected, *kernels[6:8], padding=1))


@pytest.mark.parametrize(("depth", "places"), [(8, [1, 2, 3]), (7, [1, 2]), (6, [1]), (5, []), (3, [])])
def test_unet_dropout_acts_between_levels_of_full_width_but_the_innermost(depth, places):
    stages = UNet(width=1, depth=depth, dropout=0.5).up
    assert [i for i, stage in enumerate(stages) if any(isinstance(m, nn.Dropout) for m in stage)] == places


def test_resnet_dropout_acts_once_in_every_block():
    blocks = ResNet(width=1, blocks=4, dropout=0.5).blocks
    assert [sum(isinstance(m, nn.Dropout) for m in block.modules()) for block in blocks] == [1] * 4


def test_no_dropout_draws_no_random_number():
    for dropout, draws in ((0.0, False), (0.5, True)):
        network = UNet(width=1, depth=6, dropout=dropout)
        before = torch.get_rng_state()
        network(torch.zeros(1, 3, 64, 64))
        assert torch.equal(torch.get_rng_state(), before) is not draws


# first weights and refusals


@torch.no_grad()
def test_initialise_draws_what_the_papers_draw():
    network = UNet(width=32, depth=5, norm="batch")
    initialise(network)
    kernels = torch.cat(
        [m.weight.flatten() for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    )
    scales = torch.cat([m.weight for m in network.modules() if isinstance(m, nn.BatchNorm2d)])
    assert float(kernels.mean()) == pytest.approx(0, abs=1e-4)
    assert float(kernels.std()) == pytest.approx(0.02, rel=0.01)
    assert float(scales.mean()) == pytest.approx(1, abs=0.005)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.2)
    assert all((p == 0).all() for name, p in network.named_parameters() if name.endswith("bias"))


@torch.no_grad()
def test_initialise_xavier_is_glorots_formula():
    layer = nn.Conv2d(64, 128, 4)
    initialise_xavier(layer, gain=0.5)
    assert float(layer.weight.std()) == pytest.approx(0.5 * (2 / (16 * (64 + 128))) ** 0.5, rel=0.02)


@pytest.mark.parametrize("draw", [initialise, initialise_xavier])
def test_initialise_repeats_with_a_generator(draw):
    networks = [ResNet(width=2, blocks=1, norm="instance-affine") for _ in range(2)]
    for network in networks:
        draw(network, generator=torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True))


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (lambda: UNet(width=1, norm="layer"), "instance-affine"),
        (lambda: UNet(width=1, resampling="cubic"), "nearest"),
        (lambda: ResNet(width=1, resampling="cubic"), "nearest"),
        (lambda: PatchDiscriminator(width=1, resampling="nearest"), "blur"),
        (lambda: UNet(width=1, depth=1), "depth"),
        (lambda: ResNet(width=1, blocks=0), "blocks"),
        (lambda: PatchDiscriminator(width=1, layers=0), "layers"),
        (lambda: MultiScaleDiscriminator(discriminators=[]), "discriminators"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_choices(build, word):
    with pytest.raises(ConfigurationError, match=word):
        build()
