"""Real-ESRGAN's degradations: each part against a formula or another library, and the chain that they form."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import integrate, ndimage, special, stats
from test_making_all import draws, tensors
from torch.nn import functional

from translate.card import LabelMap, Picture
from translate.data.making import Degraded
from translate.data.making.degraded import FIRST, SECOND
from translate.data.making.degraded_kernels import (
    blur_kernel,
    drawn_blur_kernel,
    drawn_low_pass_kernel,
    filtered,
    gaussian,
    low_pass_kernel,
    plateau,
)
from translate.data.making.degraded_noise import with_gaussian_noise, with_poisson_noise
from translate.data.making.degraded_pass import Pass, drawn_factor, resized, scaled
from translate.errors import ConfigurationError

NOTHING = Pass(blur=0.0, enlarge=0.0, reduce=0.0, noise=0.0, jpeg=0.0)
UNTOUCHED = Degraded(scale=1, first=NOTHING, second=NOTHING, final_low_pass=0.0)


def draw(seed=0):
    return np.random.default_rng(seed)


# Kernels


def impulse(size_px):
    there = np.zeros((size_px, size_px))
    there[size_px // 2, size_px // 2] = 1.0
    return there


@pytest.mark.parametrize("sigma_px", [0.2, 1.0, 3.0])
def test_a_round_gaussian_is_what_scipy_blurs_a_point_to(sigma_px):
    theirs = ndimage.gaussian_filter(impulse(21), sigma_px, truncate=10 / sigma_px, mode="constant")
    assert blur_kernel(21, gaussian, sigmas_px=(sigma_px, sigma_px)) == pytest.approx(theirs / theirs.sum(), abs=1e-12)


def rotated_formula(size_px, sigmas_px, angle, profile, shape):
    """As the papers write it: by the inverse of a covariance matrix that is turned."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(turn @ np.diag(np.square(sigmas_px)) @ turn.T)
    half = size_px // 2
    weights = np.zeros((size_px, size_px))
    for row in range(size_px):
        for column in range(size_px):
            place = np.array([column - half, row - half])
            squared = place @ inverse @ place
            weights[row, column] = np.exp(-0.5 * squared**shape) if profile == "exp" else 1 / (1 + squared**shape)
    return weights / weights.sum()


@pytest.mark.parametrize(("profile", "name"), [(gaussian, "exp"), (plateau, "plateau")])
@pytest.mark.parametrize("shape", [0.6, 1.0, 2.5])
def test_turned_kernels_are_the_papers_formula(profile, name, shape):
    ours = blur_kernel(13, profile, sigmas_px=(2.5, 0.8), angle=0.7, shape=shape)
    assert ours == pytest.approx(rotated_formula(13, (2.5, 0.8), 0.7, name, shape), abs=1e-12)
    assert ours != pytest.approx(rotated_formula(13, (2.5, 0.8), -0.7, name, shape), abs=1e-3)
    assert ours != pytest.approx(rotated_formula(13, (2.5, 0.8), 0.7, name, shape * 1.3), abs=1e-3)


def disc_transformed(size_px, cutoff):
    """The inverse Fourier transform of the disc of frequencies below the cutoff, integrated by scipy."""
    half = size_px // 2
    radius = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1])
    weights = np.vectorize(lambda r: integrate.quad(lambda f: f * special.j0(f * r), 0, cutoff)[0])(radius)
    return weights / weights.sum()


@pytest.mark.parametrize("cutoff", [np.pi / 3, 2.0, np.pi])
def test_the_low_pass_is_the_transform_of_a_disc_of_frequencies(cutoff):
    assert low_pass_kernel(9, cutoff) == pytest.approx(disc_transformed(9, cutoff), abs=1e-9)
    assert low_pass_kernel(9, cutoff) != pytest.approx(disc_transformed(9, cutoff * 0.9), abs=1e-3)


def test_drawn_kernels_sum_to_one_and_come_in_all_sizes():
    kernels = [drawn_blur_kernel(draw(seed), (0.2, 3.0)) for seed in range(400)]
    kernels += [drawn_low_pass_kernel(draw(seed)) for seed in range(100)]
    assert {kernel.shape for kernel in kernels} == {(size, size) for size in range(7, 22, 2)}
    assert [kernel.sum() for kernel in kernels] == pytest.approx(np.ones(500))


def test_kernels_are_round_as_often_as_published():
    kernels = [drawn_blur_kernel(draw(seed), (0.2, 3.0)) for seed in range(1200)]
    round_ones = sum(bool(np.allclose(kernel, kernel.T)) for kernel in kernels)
    assert stats.binomtest(round_ones, 1200, 0.45 + 0.12 + 0.12).pvalue > 0.01
    assert stats.binomtest(round_ones, 1200, 0.8).pvalue < 0.01


@pytest.mark.parametrize(("side", "border"), [(32, "mirror"), (6, "nearest")])
def test_a_kernel_is_applied_as_scipy_applies_it(side, border):
    kernel = blur_kernel(13, gaussian, sigmas_px=(3.0, 1.0), angle=0.5)
    picture = (tensors(1, side) + 1) / 2
    theirs = np.stack([ndimage.correlate(channel, kernel, mode=border) for channel in picture[0].double().numpy()])
    assert filtered(picture, kernel)[0].numpy() == pytest.approx(theirs, abs=1e-5)


# Noise


def plain(level, side=256, channels=3):
    return torch.full((1, channels, side, side), level / 255)


@pytest.mark.parametrize("levels", [2.0, 12.0])
def test_gaussian_noise_has_the_deviation_that_is_asked_for(levels):
    noise = with_gaussian_noise(plain(128), draw(), levels=levels, grey=False) * 255 - 128
    assert noise.mean().item() == pytest.approx(0, abs=0.05 * levels)
    assert noise.std().item() == pytest.approx(levels, rel=0.01)
    assert np.corrcoef(noise[0].flatten(1).numpy())[0, 1] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("light", [8, 60, 200])
def test_poisson_noise_has_mean_variance_and_skewness_of_counts(light):
    noisy = with_poisson_noise(plain(light), draw(), strength=1.0, grey=False).double()
    counts = (noisy * 255).flatten().numpy()[(noisy < 1).flatten().numpy()]
    theirs = stats.poisson(light).stats("mvs")
    assert counts.mean() == pytest.approx(theirs[0], rel=0.01)
    assert counts.var() == pytest.approx(theirs[1], rel=0.02)
    assert stats.skew(counts) == pytest.approx(theirs[2], abs=0.03)
    if light == 8:
        normal = draw().normal(light, light**0.5, counts.size)
        assert stats.skew(normal) != pytest.approx(theirs[2], abs=0.03)


def test_the_dark_has_no_poisson_noise_and_strength_multiplies_it():
    assert torch.equal(with_poisson_noise(plain(0), draw(), strength=3.0, grey=False), plain(0))
    single, double = (with_poisson_noise(plain(90), draw(), strength=s, grey=False) for s in (1.0, 2.0))
    assert torch.allclose(2 * (single - plain(90)), double - plain(90), atol=1e-6)


@pytest.mark.parametrize("grey", [True, False])
def test_grey_noise_is_alike_in_all_channels(grey):
    photo = (tensors(1) * 0.3 + 1) / 2
    for noisy in (
        with_gaussian_noise(photo, draw(), levels=5.0, grey=grey),
        with_poisson_noise(photo, draw(), strength=1.0, grey=grey),
    ):
        noise = noisy - photo
        assert torch.allclose(noise[:, 0], noise[:, 1], atol=1e-6) == grey


# The chain


def test_with_every_probability_at_zero_nothing_happens():
    assert torch.equal(UNTOUCHED.make(tensors(), draws()), tensors())


def changed(making):
    """How many photos of eight."""
    return int((making.make(tensors(), draws()) != tensors()).flatten(1).any(dim=1).sum())


@pytest.mark.parametrize("name", ["blur", "reduce", "noise", "jpeg"])
@pytest.mark.parametrize("which", ["first", "second"])
def test_each_part_of_each_pass_does_something_and_only_with_its_probability(name, which):
    acting = replace(UNTOUCHED, **{which: replace(NOTHING, **{name: 1.0})})
    often = replace(UNTOUCHED, **{which: replace(NOTHING, **{name: 0.5})})
    assert changed(acting) == 8
    assert 0 < changed(often) < 8


def test_the_final_low_pass_rings():
    ringing = replace(UNTOUCHED, final_low_pass=1.0)
    edge = torch.full((1, 3, 64, 64), -0.5)
    edge[..., 32:] = 0.5
    assert (ringing.make(edge, draws(1)).max() > 0.51).item()


def test_alone_the_scale_is_one_of_three_interpolations():
    made = replace(UNTOUCHED, scale=4).make(tensors(), draws())
    theirs = torch.stack(
        [functional.interpolate(tensors(), size=(16, 16), mode=mode) for mode in ("area", "bilinear", "bicubic")]
    )
    differences = (theirs - made).abs().amax(dim=(2, 3, 4))
    assert (differences.min(dim=0).values < 1.01 / 127.5).all()
    assert len(set(differences.argmin(dim=0).tolist())) > 1


def test_sizes_on_the_way_are_drawn_as_published():
    factors = np.array([drawn_factor(FIRST, draw(seed)) for seed in range(1000)])
    assert factors.min() >= 0.15
    assert factors.max() <= 1.5
    assert (
        stats.chisquare([(factors > 1).sum(), (factors < 1).sum(), (factors == 1).sum()], [200, 700, 100]).pvalue > 0.01
    )
    reduced = factors[factors < 1]
    assert stats.kstest(reduced, stats.uniform(0.15, 0.85).cdf).pvalue > 0.01
    assert scaled((100, 7), 0.15) == (15, 1)


def test_a_picture_of_the_right_size_is_not_interpolated():
    picture = tensors(1)
    assert resized(picture, (64, 64), draw()) is picture


def test_the_defaults_are_the_published_options():
    assert (FIRST.blur, FIRST.low_pass, FIRST.sigma_px, FIRST.factor) == (1.0, 0.1, (0.2, 3.0), (0.15, 1.5))
    assert (FIRST.enlarge, FIRST.reduce, FIRST.gaussian, FIRST.grey_noise) == (0.2, 0.7, 0.5, 0.4)
    assert (FIRST.gaussian_levels, FIRST.poisson_strength, FIRST.jpeg_quality) == ((1, 30), (0.05, 3.0), (30, 95))
    assert (SECOND.blur, SECOND.low_pass, SECOND.sigma_px, SECOND.factor) == (0.8, 0.1, (0.2, 1.5), (0.3, 1.2))
    assert (SECOND.enlarge, SECOND.reduce, SECOND.gaussian, SECOND.grey_noise) == (0.3, 0.4, 0.5, 0.4)
    assert (SECOND.gaussian_levels, SECOND.poisson_strength, SECOND.jpeg_quality) == ((1, 25), (0.05, 2.5), (30, 95))
    assert (Degraded().scale, Degraded().final_low_pass) == (4, 0.8)


def psnr(made, photos):
    return 10 * np.log10(4 / (made - photos).square().mean().item())


def test_mild_is_mild():
    severe = replace(Degraded(), scale=1)
    assert (
        psnr(Degraded.mild().make(tensors(), draws()), tensors()) > psnr(severe.make(tensors(), draws()), tensors()) + 3
    )


def test_an_autocast_around_it_changes_nothing():
    plainly = Degraded().make(tensors(), draws())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Degraded().make(tensors(), draws()), plainly)
        kernel = torch.ones(3, 1, 3, 3)
        assert functional.conv2d(tensors(), kernel, groups=3).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: Degraded(scale=0), "scale"),
        (lambda: Degraded(final_low_pass=1.5), "final-low-pass"),
        (lambda: Pass(blur=-0.1), "blur"),
        (lambda: Pass(enlarge=0.6, reduce=0.6), "reduce"),
        (lambda: Pass(factor=(1.1, 1.5)), "factor"),
        (lambda: Pass(sigma_px=(0.0, 1.0)), "sigma-px"),
        (lambda: Pass(gaussian_levels=(5.0, 1.0)), "gaussian-levels"),
        (lambda: Pass(jpeg_quality=(30, 101)), "jpeg-quality"),
        (lambda: Degraded().ports((LabelMap(name="b", classes=3),)), "grey or rgb"),
        (lambda: Degraded().ports((Picture(name="b", channels=4),)), "grey or rgb"),
    ],
)
def test_what_cannot_be_is_refused(build, named):
    with pytest.raises(ConfigurationError, match=named):
        build()
