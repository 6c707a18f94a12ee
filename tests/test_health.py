"""Planted faults are found, healthy pictures raise no alarm."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data
from torch.nn import functional

from translate.metrics.health import Sample, examine_pictures
from translate.metrics.health_checkerboard import check_checkerboard, grid_peaks
from translate.metrics.health_colour import check_colours
from translate.metrics.health_copy import check_copying
from translate.metrics.health_discriminator import (
    DiscriminatorScores,
    check_adversarial_losses,
    check_discriminator,
    held_out_accuracy,
    memorised_share,
)
from translate.metrics.health_diversity import check_diversity, spread_levels
from translate.metrics.health_finite import check_finite

SIDE = 64


def to_tensor(pictures):
    return torch.from_numpy(np.asarray(pictures).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)


def tiles(picture):
    half = np.asarray(Image.fromarray(picture).reduce(2))
    height, width = half.shape[0] // SIDE, half.shape[1] // SIDE
    return [half[y * SIDE :, x * SIDE :][:SIDE, :SIDE] for y in range(height) for x in range(width)]


@pytest.fixture(scope="module")
def photos():
    pictures = [tile for name in ("astronaut", "chelsea", "coffee", "rocket") for tile in tiles(getattr(data, name)())]
    order = np.random.default_rng(0).permutation(len(pictures))
    return np.stack(pictures)[order]


@pytest.fixture(scope="module")
def real(photos):
    return to_tensor(photos)


def jpeg(pictures, quality):
    return np.stack([_through_jpeg(picture, quality) for picture in pictures])


def _through_jpeg(picture, quality):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def noise_like(pictures, levels, seed=0):
    return torch.randn(pictures.shape, generator=torch.Generator().manual_seed(seed)) * levels / 127.5


def codes(findings):
    return {finding.code for finding in findings}


HEALTHY = {
    "noise": lambda photos: to_tensor(photos) + noise_like(to_tensor(photos), 12),
    "much noise": lambda photos: to_tensor(photos) + noise_like(to_tensor(photos), 40),
    "jpeg 85": lambda photos: to_tensor(jpeg(photos, 85)),
    "jpeg 40": lambda photos: to_tensor(jpeg(photos, 40)),
    "blur": lambda photos: to_tensor(np.stack([gaussian_filter(photo, (2, 2, 0)) for photo in photos])),
    "grey": lambda photos: to_tensor(photos).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1),
    "low contrast": lambda photos: to_tensor(photos) * 0.6,
    "sepia": lambda photos: to_tensor(photos) * torch.tensor([0.9, 0.7, 0.5])[:, None, None] + 0.1,
    "bilinear": lambda photos: functional.interpolate(
        functional.avg_pool2d(to_tensor(photos), 2), scale_factor=2, mode="bilinear"
    ),
    "nearest": lambda photos: functional.interpolate(functional.avg_pool2d(to_tensor(photos), 4), scale_factor=4),
}


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("name", HEALTHY)
def test_imperfect_pictures_raise_no_alarm(photos, real, name, paired):
    inputs = 0.5 * real - 0.2
    targets = real if paired else real.flip(0)
    sample = Sample(inputs=inputs, outputs=HEALTHY[name](photos), targets=targets, paired=paired)
    assert examine_pictures(sample) == []


@pytest.mark.parametrize("count", [8, 16, 49])
def test_real_pictures_raise_no_alarm_against_other_real_ones(real, count):
    for start in range(0, len(real) - count + 1, 8):
        chosen = real[start : start + count]
        assert check_checkerboard(chosen, real) == []
        assert check_diversity(chosen, real, real) == []
        assert check_colours(chosen, chosen.roll(1, 0), against_truth=True) == []


def test_too_few_pictures_say_nothing(real):
    flat = torch.zeros(3, 3, SIDE, SIDE)
    assert check_diversity(flat, flat, flat) == []
    assert check_checkerboard(real[:15] + checkerboard(9), real[:15]) == []
    assert check_colours(-real[:3], real[:3], against_truth=True) == []


# Checkerboard


def grid(period, kind):
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    if kind == "checks":
        return ((y // (period // 2) + x // (period // 2)) % 2).float() * 2 - 1
    if kind == "stripes":
        return torch.cos(2 * torch.pi * x / period)
    return ((y % period == 0) | (x % period == 0)).float() * 2


def checkerboard(levels, period=2, kind="checks"):
    return grid(period, kind) * levels / 127.5


@pytest.mark.parametrize("count", [16, 49])
@pytest.mark.parametrize(
    ("period", "kind", "levels"),
    [(2, "checks", 2), (2, "stripes", 4), (4, "checks", 5), (4, "stripes", 8), (4, "dots", 8)],
)
def test_a_grid_is_found(real, period, kind, levels, count):
    outputs = real[:count] + checkerboard(levels, period, kind)
    (finding,) = check_checkerboard(outputs, real, generator="generator_ab")
    assert finding.code == "checkerboard"
    assert "generator_ab" in finding.message
    assert "resampling" in finding.remedy


@pytest.mark.parametrize(("kind", "period", "expected"), [("checks", 2, 6.0), ("stripes", 2, 6.0), ("stripes", 4, 6.0)])
def test_the_amplitude_is_the_planted_one(real, kind, period, expected):
    peaks = grid_peaks(real * 0.05 + checkerboard(expected, period, kind))
    strongest = max(peaks, key=lambda peak: peak.prominence)
    assert strongest.amplitude == pytest.approx(expected, rel=0.05)
    assert strongest.period_px == period


def test_transposed_convolution_with_uneven_overlap_is_found(real):
    small = functional.avg_pool2d(real, 2).reshape(-1, 1, SIDE // 2, SIDE // 2)
    kernel = torch.full((1, 1, 3, 3), 0.25)
    uneven = functional.conv_transpose2d(small, kernel, stride=2, padding=1, output_padding=1).reshape(real.shape)
    assert codes(check_checkerboard(0.8 * real + 0.2 * uneven, real)) == {"checkerboard"}


def test_a_grid_that_real_pictures_have_too_is_right(real):
    assert check_checkerboard(real + checkerboard(4), real.flip(0) + checkerboard(4)) == []


def test_an_invisible_grid_is_left_alone(real):
    smooth = functional.avg_pool2d(functional.pad(real, (4, 4, 4, 4), mode="reflect"), 9, 1)
    assert check_checkerboard(smooth + checkerboard(0.3), real) == []


# Diversity


def test_one_answer_to_everything_is_found(real):
    outputs = real[:1] + noise_like(real, 12)
    (finding,) = check_diversity(outputs, real, real)
    assert finding.code == "low_diversity"


@pytest.mark.parametrize("modes", [2, 6])
def test_a_few_answers_that_repeat_are_found(real, modes):
    outputs = real[torch.arange(len(real)) % modes] + noise_like(real, 6)
    assert codes(check_diversity(outputs, real, real)) == {"low_diversity"}


def test_inputs_that_repeat_excuse_outputs_that_do(real):
    repeated = real[torch.arange(len(real)) % 6]
    assert check_diversity(repeated, real, repeated.flip(1)) == []


def test_spread_by_hand():
    flat = torch.tensor([0.0, 0.0, 1.0, 1.0])[:, None, None, None].expand(4, 3, 32, 32)
    assert spread_levels(flat) == pytest.approx((127.5, 0.0))


# Colours


@pytest.mark.parametrize(
    "invert",
    [
        lambda real: -real,
        lambda real: -real + noise_like(real, 25),
        lambda real: 2 * real.mean(dim=1, keepdim=True) - real,
        lambda real: real[:, [2, 1, 0]],
        lambda real: -real.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1),
    ],
    ids=["negative", "noisy negative", "complementary hues", "red and blue", "grey negative"],
)
def test_inverted_colours_are_found(real, invert):
    (finding,) = check_colours(invert(real), real, against_truth=True)
    assert (finding.code, finding.severity) == ("colour_inversion", "warning")
    (finding,) = check_colours(invert(real), real, against_truth=False)
    assert finding.severity == "note"


def test_the_message_says_what_is_inverted(real):
    (finding,) = check_colours(2 * real.mean(dim=1, keepdim=True) - real, real, against_truth=True)
    assert "the hues" in finding.message
    assert "light and dark" not in finding.message


def test_flat_pictures_have_no_colours_to_invert():
    nearly_white = 0.9 + noise_like(torch.zeros(16, 3, 32, 32), 1)
    assert check_colours(-nearly_white, nearly_white, against_truth=True) == []


def test_label_maps_have_no_colours(real):
    maps = torch.rand(16, 12, SIDE, SIDE)
    assert check_colours(-maps, maps, against_truth=True) == []
    assert check_checkerboard(maps + checkerboard(20), maps) == []


# Copying


def test_an_input_handed_back_is_found(real):
    inputs = -real
    for paired in (True, False):
        nearly = inputs + noise_like(real, 0.5)
        assert codes(check_copying(inputs, nearly, real, paired=paired)) == {"identity_collapse"}


def test_a_small_change_is_right_where_little_must_change(real):
    inputs = real + noise_like(real, 3)
    assert check_copying(inputs, inputs * 0.5 + real * 0.5, real, paired=True) == []
    assert check_copying(inputs, real, real.flip(0), paired=False) == []


def test_grey_handed_back_for_colours_is_a_copy(real):
    grey = real.mean(dim=1, keepdim=True)
    assert codes(check_copying(grey, grey.expand_as(real), real, paired=True)) == {"identity_collapse"}
    assert check_copying(grey, real * 0.8, real, paired=True) == []


def test_other_channels_and_sizes_are_no_copy(real):
    assert check_copying(real, real[:, :1], real[:, :1], paired=True) == []
    assert check_copying(real[..., ::2, ::2], real, real, paired=True) == []


# Finite


def test_the_first_bad_tensor_is_named(real):
    tensors = {
        "good": real,
        "loss of generator": torch.tensor([1.0, float("nan")]),
        "other": torch.tensor(float("inf")),
    }
    (finding,) = check_finite(tensors)
    assert finding.severity == "error"
    assert finding.message.startswith("loss of generator")
    assert "1 more" in finding.message
    assert check_finite({"good": real}) == []


def test_nothing_else_is_said_of_broken_outputs(real):
    broken = real.clone()
    broken[5, 0, 0, 0] = float("nan")
    findings = examine_pictures(
        Sample(inputs=real, outputs=broken, targets=real, paired=True), generator="generator_ba"
    )
    assert codes(findings) == {"not_finite"}
    assert "generator_ba" in findings[0].message


# The game


def scores(real_mean, fake_mean, count=2000, train_mean=None):
    draw = np.random.default_rng(0)
    return DiscriminatorScores(
        discriminator="discriminator_a",
        held_out_real=draw.normal(real_mean, 1, (count // 4, 2, 2)),
        fake=draw.normal(fake_mean, 1, (count // 4, 2, 2)),
        training_real=None if train_mean is None else draw.normal(train_mean, 1, count),
    )


@pytest.mark.parametrize("offset", [0, 0.5, -40])
def test_accuracy_is_the_closed_form_and_needs_no_threshold(offset):
    # For unit normals d apart it is Phi(d / sqrt 2).
    expected = 0.5 * (1 + torch.erf(torch.tensor(1.5 / 2))).item()
    assert held_out_accuracy(scores(offset + 1.5, offset)) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("gap", "found"), [(0.0, False), (1.5, False), (-1.0, False), (4.0, True)])
def test_a_discriminator_that_always_wins_is_found(gap, found):
    findings = check_discriminator(scores(gap, 0.0))
    assert codes(findings) == ({"discriminator_too_strong"} if found else set())
    assert all("--optimisers.discriminator_a.learning-rate" in finding.remedy for finding in findings)


def test_constant_scores_are_guessing():
    same = DiscriminatorScores(discriminator="discriminator", held_out_real=np.zeros(99), fake=np.zeros(99))
    assert held_out_accuracy(same) == 0.5
    assert check_discriminator(same) == []


@pytest.mark.parametrize(("held_out", "share", "found"), [(2.0, 0.0, False), (1.6, 0.2, False), (0.4, 0.8, True)])
def test_memorised_training_pictures_are_found(held_out, share, found):
    game = scores(held_out, 0.0, train_mean=2.0)
    assert memorised_share(game.training_real, game.held_out_real, game.fake) == pytest.approx(share, abs=0.05)
    assert ("discriminator_memorises" in codes(check_discriminator(game))) == found


def losses(start, end, steps=400):
    course = np.where(np.arange(steps) < steps // 2, start, end)
    return course * np.random.default_rng(0).uniform(0.7, 1.3, steps)


@pytest.mark.parametrize(
    ("discriminator", "generator", "found"),
    [
        ((0.7, 0.01), (0.7, 6.0), True),  # minimax, lost
        ((0.5, 0.001), (0.4, 0.98), True),  # least squares, lost
        ((0.7, 0.5), (0.7, 1.2), False),  # as it should be
        ((0.7, 0.01), (0.7, 0.6), False),  # the generator still finds its way
        ((-0.1, -9.0), (0.1, 5.0), False),  # Wasserstein has no minimum at 0
    ],
)
def test_a_lost_game_is_seen_in_the_losses(discriminator, generator, found):
    findings = check_adversarial_losses("discriminator", losses(*discriminator), losses(*generator))
    assert codes(findings) == ({"discriminator_loss_vanished"} if found else set())


def test_all_faults_are_reported_in_one_call(real):
    outputs = -(real[:1] * 0.9).expand_as(real) + checkerboard(6)
    sample = Sample(inputs=real[:1].expand_as(real), outputs=outputs, targets=real[:1].expand_as(real), paired=True)
    assert codes(examine_pictures(sample)) == {"colour_inversion", "checkerboard"}
    unpaired = Sample(inputs=real, outputs=outputs, targets=real, paired=False)
    assert {"low_diversity", "checkerboard"} <= codes(examine_pictures(unpaired))
