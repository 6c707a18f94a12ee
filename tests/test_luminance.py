"""PSNR and SSIM of luminance, and measures of colour, against scikit-image and closed forms."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab, rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from translate.errors import ConfigurationError
from translate.metrics.chroma import ab_rmse, colourfulness, mean_chroma
from translate.metrics.luminance import luminance, luminance_psnr_db, luminance_ssim
from translate.metrics.pairwise import psnr_db


def pixels(seed=0, shape=(2, 24, 31, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def tensor(levels):
    return torch.from_numpy(levels).permute(0, 3, 1, 2).float() / 127.5 - 1


def y(levels):
    return rgb2ycbcr(levels)[..., 0]


def close(noise=9):
    true = pixels()
    made = np.clip(true + np.random.default_rng(1).normal(0, noise, true.shape), 0, 255).astype(np.uint8)
    return made, true


def test_y_is_that_of_scikit_image():
    ours = (luminance(tensor(pixels()))[:, 0] + 1) * 127.5
    np.testing.assert_allclose(ours.numpy(), y(pixels()), atol=1e-3)
    ends = luminance(torch.stack([-torch.ones(3, 1, 1), torch.ones(3, 1, 1)]))
    assert ((ends + 1) * 127.5).flatten().tolist() == pytest.approx([16, 235])


@pytest.mark.parametrize("border", [0, 2, 4])
def test_psnr_of_y_within_the_border(border):
    made, true = close()
    inside = slice(border, 24 - border), slice(border, 31 - border)
    pairs = zip(y(true), y(made), strict=True)
    theirs = [peak_signal_noise_ratio(t[inside], m[inside], data_range=255) for t, m in pairs]
    ours = luminance_psnr_db(tensor(made), tensor(true), border_px=border)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-3)
    assert (ours - psnr_db(tensor(made), tensor(true))).min() > 1  # the control: over RGB it is another number


def test_what_is_in_the_border_does_not_count():
    made, true = close()
    spoilt = made.copy()
    spoilt[:, :2] = 255 - true[:, :2]
    assert torch.equal(*(luminance_psnr_db(tensor(each), tensor(true), border_px=2) for each in (made, spoilt)))
    assert torch.equal(*(luminance_ssim(tensor(each), tensor(true), border_px=2) for each in (made, spoilt)))
    clean, spoilt_db = (luminance_psnr_db(tensor(each), tensor(true), border_px=1) for each in (made, spoilt))
    assert (clean - spoilt_db).min() > 5  # the control: with a pixel of it in sight


def test_ssim_of_y():
    made, true = close(25)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    theirs = [structural_similarity(y(t), y(m), **settings) for t, m in zip(true, made, strict=True)]
    ours = luminance_ssim(tensor(made), tensor(true), border_px=0)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=2e-4)


def test_a_border_that_leaves_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="leaves nothing"):
        luminance_psnr_db(tensor(pixels()), tensor(pixels()), border_px=12)


def test_colours_in_lab_are_those_of_scikit_image():
    made, true = close(30)
    ab_made, ab_true = rgb2lab(made)[..., 1:], rgb2lab(true)[..., 1:]
    theirs = np.sqrt(((ab_made - ab_true) ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(ab_rmse(tensor(made), tensor(true)).numpy(), theirs, rtol=2e-3)
    np.testing.assert_allclose(
        mean_chroma(tensor(true)).numpy(), np.hypot(*np.moveaxis(ab_true, 3, 0)).mean(axis=(1, 2)), rtol=2e-3
    )


def test_grey_has_no_colour_and_brightness_is_none():
    grey = np.repeat(pixels(shape=(2, 8, 8, 1)), 3, axis=3)
    assert mean_chroma(tensor(grey)).max() < 0.05
    assert colourfulness(tensor(grey)).max() < 1e-3
    assert ab_rmse(tensor(grey), tensor(255 - grey)).max() < 0.05


def test_colourfulness_of_a_half_red_picture():
    """rg is 255 or 0, yb 127.5 or 0: deviations 127.5 and 63.75, means as large."""
    half = np.zeros((1, 4, 4, 3), np.uint8)
    half[:, :2, :, 0] = 255
    assert float(colourfulness(tensor(half))) == pytest.approx(1.3 * np.hypot(127.5, 63.75), rel=1e-5)
    assert float(colourfulness(tensor(half // 3))) == pytest.approx(1.3 * np.hypot(127.5, 63.75) / 3, rel=1e-5)


def test_other_shapes_are_refused():
    with pytest.raises(ConfigurationError, match="one shape"):
        ab_rmse(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))
    with pytest.raises(ConfigurationError, match="N x 3"):
        mean_chroma(torch.zeros(1, 1, 4, 4))
