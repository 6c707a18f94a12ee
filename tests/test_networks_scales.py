"""Discriminators' features, and several scales of one picture."""

import pytest
import torch
from small_networks import DISCRIMINATORS

from translate.networks.multiscale import MultiScaleDiscriminator
from translate.networks.patch import PatchDiscriminator, PixelDiscriminator

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_features_end_with_the_scores(name):
    network = DISCRIMINATORS[name](norm="instance")
    pictures = torch.randn(2, 3, 32, 32)
    *features, scores = network.features(pictures)
    assert torch.equal(scores, network(pictures))
    assert len(features) == (2 if name == "pixel" else 3)
    assert [maps.shape[1] for maps in features] == [2, 4, 8][: len(features)]


def test_multiscale_gives_finest_first_on_averages():
    network = MultiScaleDiscriminator(discriminators=[PixelDiscriminator(width=2, norm="none") for _ in range(3)])
    ramp = torch.arange(32.0).expand(1, 3, 32, 32) / 32
    scores = network(ramp)
    assert [level.shape[-1] for level in scores] == [32, 16, 8]
    for scale, level in enumerate(scores):
        # The average of a ramp about a pixel is that pixel.
        interior = slice(4, -4) if scale < 2 else slice(2, -2)
        expected = network.scales[scale](ramp[..., :: 2**scale, :: 2**scale])
        torch.testing.assert_close(level[..., interior], expected[..., interior])
    assert all(torch.equal(f[-1], s) for f, s in zip(network.features(ramp), scores, strict=True))


def test_multiscale_keeps_a_constant_picture_constant():
    network = MultiScaleDiscriminator(discriminators=[PixelDiscriminator(width=2, norm="none") for _ in range(2)])
    coarse = network(torch.full((1, 3, 9, 9), 0.7))[1]
    torch.testing.assert_close(coarse, coarse[..., :1, :1].expand_as(coarse))


def test_multiscale_needs_the_size_of_its_coarsest():
    network = MultiScaleDiscriminator(discriminators=[PatchDiscriminator(width=1, layers=2) for _ in range(2)])
    assert network.at_least_px == 24
    network(torch.randn(1, 3, 24, 24))
    with pytest.raises((RuntimeError, ValueError)):
        network(torch.randn(1, 3, 22, 22))
