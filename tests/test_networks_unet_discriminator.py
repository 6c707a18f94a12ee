"""The U-Net discriminator against its published layers, and in the place of any other discriminator."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.losses.gradient_penalty import GradientPenalty
from translate.networks.discriminators import DiscriminatorConfig
from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.unet_discriminator import UNetDiscriminator

pytestmark = pytest.mark.usefixtures("seeded")


def convolutions(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def test_the_published_one_has_4_38_million_weights():
    by_hand = 9 * (3 * 64) + 64 + 16 * (64 * 128 + 128 * 256 + 256 * 512)
    by_hand += 9 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 64 + 64 * 64) + 9 * 64 + 1
    assert sum(parameter.numel() for parameter in UNetDiscriminator().parameters()) == by_hand == 4_376_897


def published(pictures, kernels, first_bias, last_bias):
    """UNetDiscriminatorSN of BasicSR, on weights that are normalised already."""
    take = iter(kernels)

    def same(maps, bias=None):
        return functional.leaky_relu(functional.conv2d(maps, next(take), bias, padding=1), 0.2)

    def halve(maps):
        return functional.leaky_relu(functional.conv2d(maps, next(take), stride=2, padding=1), 0.2)

    def double(maps):
        return functional.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)

    x0 = same(pictures, first_bias)
    x1 = halve(x0)
    x2 = halve(x1)
    x3 = halve(x2)
    x4 = same(double(x3)) + x2
    x5 = same(double(x4)) + x1
    x6 = same(double(x5)) + x0
    return functional.conv2d(same(same(x6)), next(take), last_bias, padding=1)


def test_it_computes_the_published_layers():
    network, pictures = UNetDiscriminator(width=4).eval(), torch.randn(2, 3, 16, 24)
    layers = convolutions(network)
    kernels = [layer.weight for layer in layers]
    expected = published(pictures, kernels, layers[0].bias, layers[-1].bias)
    torch.testing.assert_close(network(pictures), expected)
    wrong = published(pictures, [*kernels[:-2], kernels[-3], kernels[-1]], layers[0].bias, layers[-1].bias)
    assert not torch.allclose(network(pictures), wrong, atol=1e-3)


def test_all_but_the_ends_are_spectrally_normalised():
    network = DiscriminatorConfig(kind="unet", width=4).build(3, batch_size=2).scales[0]
    for _ in range(60):  # a power iteration each
        network(torch.randn(1, 3, 8, 8))
    first, *middle, last = (
        torch.linalg.matrix_norm(each.weight.flatten(1), 2) for each in convolutions(network.eval())
    )
    assert all(abs(largest - 1) < 0.05 for largest in middle)
    assert len(middle) == 8
    assert not any(0.95 < largest < 1.05 for largest in (first, last))


@pytest.mark.parametrize("size", [(8, 8), (9, 15), (37, 53), (64, 40)])
def test_every_pixel_has_a_score_at_any_size(size):
    assert UNetDiscriminator(width=2)(torch.randn(2, 3, *size)).shape == (2, 1, *size)


def test_it_fails_under_its_least_size():
    for halvings in (1, 3):
        network = UNetDiscriminator(width=2, halvings=halvings)
        least = network.at_least_px
        network(torch.randn(1, 3, least, least))
        with pytest.raises(RuntimeError):
            network(torch.randn(1, 3, least - 1, least - 1))
    with pytest.raises(ConfigurationError, match="layers is 0"):
        UNetDiscriminator(halvings=0)


def test_a_score_sees_its_surroundings():
    pictures = torch.randn(1, 3, 64, 64).requires_grad_()
    network = UNetDiscriminator(width=4).eval()
    seen = torch.autograd.grad(network(pictures)[0, 0, 32, 32], pictures)[0][0].abs().sum(dim=0) > 0
    alone = (
        torch.autograd.grad(network.last(network.first(pictures))[0, 0, 32, 32], pictures)[0][0].abs().sum(dim=0) > 0
    )
    assert seen.sum() > 30**2
    assert alone.sum() == 5**2


def test_features_end_with_the_scores():
    network, pictures = UNetDiscriminator(width=2).eval(), torch.randn(2, 3, 16, 16)
    *maps, scores = network.features(pictures)
    assert torch.equal(scores, network(pictures))
    assert [each.shape[1] for each in maps] == [2, 4, 8, 16, 8, 4, 2, 2, 2]
    assert [each.shape[2] for each in maps] == [16, 8, 4, 2, 4, 8, 16, 16, 16]


@pytest.mark.parametrize("scales", [1, 2])
@pytest.mark.parametrize("kind", ["r1", "wgan-gp"])
def test_it_takes_the_place_of_any_discriminator(kind, scales):
    network = DiscriminatorConfig(kind="unet", width=2, scales=scales, norm="none").build(6, batch_size=2)
    assert isinstance(network, MultiScaleDiscriminator)
    assert network.at_least_px == 8 * scales
    real, fake = torch.randn(2, 2, 6, 16, 16).unbind()
    assert [tuple(scores.shape) for scores in network(real)] == [(2, 1, 16, 16), (2, 1, 8, 8)][:scales]
    assert [len(maps) for maps in network.features(real)] == [10] * scales
    terms = GradientPenalty(kind=kind).terms(network, real, fake)
    sum(terms.values()).backward()
    grads = [parameter.grad for name, parameter in network.named_parameters() if not name.endswith("bias")]
    assert all(grad.isfinite().all() and grad.abs().max() > 0 for grad in grads)
