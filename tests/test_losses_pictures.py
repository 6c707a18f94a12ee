"""Reconstruction, structural and feature-matching losses."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from translate.errors import ConfigurationError
from translate.losses.features import feature_matching
from translate.losses.reconstruction import charbonnier, l1, l2
from translate.losses.structural import structural

MADE = torch.tensor([[0.0, 0.5], [-1.0, 1.0]])
TRUE = torch.tensor([[0.0, 1.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (l1, (0.5 + 2.0) / 4),
        (l2, (0.25 + 4.0) / 4),
        (charbonnier, (2 * 0.001 + np.sqrt(0.25 + 1e-6) + np.sqrt(4 + 1e-6)) / 4),
    ],
)
def test_mean_over_all_elements(loss, expected):
    assert loss(MADE, TRUE).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [l1, l2, charbonnier])
def test_halves_are_compared_in_float32(loss):
    torch.manual_seed(0)
    made, true = torch.rand(1, 3, 200, 200).bfloat16(), torch.rand(1, 3, 200, 200).bfloat16()
    value = loss(made, true)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(made.double(), true.double()).item(), rel=1e-5)


@pytest.mark.parametrize("loss", [l1, l2, charbonnier])
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match="different shapes"):
        loss(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize("loss", [l2, charbonnier, structural])
def test_gradients_match_finite_differences(loss):
    torch.manual_seed(0)
    made, true = (torch.rand(1, 1, 12, 12, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(loss, (made, true), fast_mode=True)


def test_gradient_of_charbonnier_exists_where_l1_has_its_tip():
    made = torch.zeros(3, requires_grad=True)
    charbonnier(made, torch.zeros(3)).backward()
    assert made.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_structural_is_one_minus_ssim_of_scikit_image(channels):
    generator = np.random.default_rng(0)
    true = generator.uniform(-1, 1, (channels, 40, 33))
    made = np.clip(true + 0.3 * generator.normal(size=true.shape), -1, 1)
    similarity = structural_similarity(
        (made + 1) / 2,
        (true + 1) / 2,
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    value = structural(torch.from_numpy(made)[None], torch.from_numpy(true)[None])
    assert value.item() == pytest.approx(1 - similarity, abs=1e-9)


def test_structural_of_two_black_pictures_is_zero():
    black = -torch.ones(1, 3, 16, 16)
    assert structural(black, black).item() == pytest.approx(0, abs=1e-6)


def test_structural_is_in_float32_under_autocast():
    torch.manual_seed(0)
    made, true = torch.rand(1, 3, 32, 32, requires_grad=True), torch.rand(1, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16):
        within = structural(made, true)
    torch.testing.assert_close(within, structural(made, true), rtol=0, atol=0)


def test_structural_names_the_smallest_size():
    with pytest.raises(ConfigurationError, match="at least 11 x 11 px, not 10 x 64"):
        structural(torch.zeros(1, 3, 10, 64), torch.zeros(1, 3, 10, 64))


def test_feature_matching_sums_layers_and_averages_discriminators():
    fake = [[torch.ones(2, 4, 8, 8), torch.full((2, 8, 4, 4), 3.0)], [torch.ones(2, 4, 4, 4), torch.zeros(2, 8, 2, 2)]]
    real = [[torch.zeros_like(layer) for layer in maps] for maps in fake]
    assert feature_matching(fake, real).item() == ((1 + 3) + (1 + 0)) / 2


def test_feature_matching_teaches_the_fake_only():
    fake, real = torch.ones(1, 2, 2, 2, requires_grad=True), torch.zeros(1, 2, 2, 2, requires_grad=True)
    feature_matching([[fake]], [[real]]).backward()
    assert (fake.grad > 0).all()
    assert real.grad is None


def test_feature_matching_refuses_lists_that_do_not_match():
    layer = torch.zeros(1, 2, 2, 2)
    with pytest.raises(ValueError, match="zip"):
        feature_matching([[layer, layer]], [[layer]])
