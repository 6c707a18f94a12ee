"""Norms, blurs and doublings against scipy and closed forms, and how the networks follow a shift."""

import numpy as np
import pytest
import torch
from reaching import make_positive
from scipy.ndimage import correlate1d
from small_networks import GENERATORS
from torch import nn
from torch.nn import functional

from translate.networks.initialise import initialise, initialise_xavier
from translate.networks.norm import norm_layer
from translate.networks.patch import PatchDiscriminator, PixelDiscriminator
from translate.networks.resample import Blur, nearest, smooth, transposed
from translate.networks.resnet import ResidualBlock

pytestmark = pytest.mark.usefixtures("seeded")


# norm


def test_batch_norm_in_training_at_batch_size_1_is_affine_instance_norm():
    batch, instance = norm_layer("batch", 5), norm_layer("instance-affine", 5).eval()
    initialise(batch, std=1.0)
    instance.load_state_dict({name: batch.state_dict()[name] for name in ("weight", "bias")})
    maps = torch.randn(1, 5, 7, 9) * 3 + 2
    assert (batch(maps) - instance(maps)).abs().max() == 0


@pytest.mark.parametrize("name", GENERATORS)
def test_a_whole_network_trained_at_batch_size_1_serves_with_instance_norm(name):
    trained, served = GENERATORS[name](norm="batch"), GENERATORS[name](norm="instance-affine").eval()
    initialise(trained, std=0.2)
    missing = served.load_state_dict(trained.state_dict(), strict=False)
    assert not missing.missing_keys
    assert all(key.rsplit(".")[-1] in {"running_mean", "running_var", "num_batches_tracked"} for key in missing[1])
    picture = torch.randn(1, 3, 16, 24)
    assert (trained(picture) - served(picture)).abs().max() == 0


@pytest.mark.parametrize("draw", [initialise, initialise_xavier])
def test_spectral_norm_brings_the_largest_singular_value_to_1(draw):
    network = PatchDiscriminator(width=4, layers=2, spectral_norm=True)
    draw(network, 7.0)
    plain = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(plain) == 4
    for layer in plain:
        with torch.no_grad():
            assert layer.parametrizations.weight.original.flatten(1).norm() > 3
            assert float(torch.linalg.svdvals(layer.weight.flatten(1))[0]) == pytest.approx(1, abs=0.1)
    for _ in range(100):
        network(torch.randn(1, 3, 16, 16))
    for layer in plain:
        with torch.no_grad():
            assert float(torch.linalg.svdvals(layer.weight.flatten(1))[0]) == pytest.approx(1, abs=1e-3)


# resampling


@pytest.mark.parametrize(("taps", "line"), [(3, [1, 2, 1]), (4, [1, 3, 3, 1])])
@pytest.mark.parametrize("size", [2, 8, 12])
def test_blur_is_the_binomial_filter_of_scipy(taps, line, size):
    maps = torch.randn(1, 2, size, size)
    filtered = maps.numpy()
    for axis in (2, 3):
        # scipy takes the later middle of an even filter for its centre; ours starts at 2 i - 1 in either case.
        filtered = correlate1d(filtered, np.array(line) / sum(line), axis=axis, mode="mirror", origin=3 - taps)
    np.testing.assert_allclose(Blur(channels=2, taps=taps)(maps), filtered[..., ::2, ::2], atol=1e-6)


@pytest.mark.parametrize("taps", [3, 4])
def test_blur_keeps_a_constant_picture_constant(taps):
    maps = torch.full((1, 3, 10, 6), 0.3)
    torch.testing.assert_close(Blur(channels=3, taps=taps)(maps), torch.full((1, 3, 5, 3), 0.3))


def test_smooth_enlargement_is_1331_with_replicated_borders():
    maps = torch.randn(1, 2, 5, 7)
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    kernel = torch.outer(line, line).expand(2, 1, 4, 4)
    padded = functional.pad(maps, (1, 1, 1, 1), mode="replicate")
    expected = functional.conv_transpose2d(padded, kernel, stride=2, padding=3, groups=2)
    torch.testing.assert_close(smooth().build(2, 2, True)[0](maps), expected)


@pytest.mark.parametrize(
    ("doubling", "even"),
    [(transposed(kernel=3), False), (smooth(), True), (nearest(), True)],
    ids=["transposed", "smooth", "nearest"],
)
def test_only_the_papers_doubling_prints_a_checkerboard(doubling, even):
    layer = make_positive(doubling.build(1, 1, False))
    inside = layer(torch.ones(1, 1, 8, 8).double())[..., 2:-2, 2:-2]
    assert bool(inside.std() < 1e-6) is even


@torch.no_grad()
def shift_error(network, picture):
    """How much a picture that moves by one pixel changes its translation, relative to the translation's contrast."""
    inner = (..., slice(24, -24), slice(24, -24))
    moved = network(picture.roll(1, dims=-1))[inner]
    expected = network(picture).roll(1, dims=-1)[inner]
    return float((moved - expected).square().mean().sqrt() / expected.std())


@pytest.mark.parametrize("name", GENERATORS)
def test_blur_follows_a_shift_of_one_pixel_better_than_the_paper(name):
    picture = torch.randn(4, 3, 96, 96)
    errors = {}
    for resampling in ("paper", "blur"):
        network = GENERATORS[name](norm="instance", resampling=resampling).eval()
        initialise(network, std=0.2)
        errors[resampling] = shift_error(network, picture)
    assert errors["blur"] < 0.7 * errors["paper"], errors


def test_the_pixel_discriminator_follows_every_shift():
    network = PixelDiscriminator(width=4)
    picture = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(network(picture.roll(1, dims=-1)), network(picture).roll(1, dims=-1))


def test_a_residual_block_follows_every_shift_inside():
    block = ResidualBlock(channels=3, norm="none")
    maps = torch.randn(1, 3, 16, 16)
    torch.testing.assert_close(block(maps[..., 1:])[..., 3:-3], block(maps)[..., 4:-3])


def test_the_patch_discriminator_follows_shifts_by_its_stride():
    network = PatchDiscriminator(width=2, layers=2, norm="none")
    picture = torch.randn(1, 3, 96, 96)
    here, moved = network(picture), network(picture.roll(4, dims=-1))
    torch.testing.assert_close(moved[..., 8:-8], here.roll(1, dims=-1)[..., 8:-8])
    assert not torch.allclose(network(picture.roll(1, dims=-1)), here, atol=1e-3)
