"""Pictures in memory brought to a size and to channels, against Pillow, torch and plain arithmetic."""

import numpy as np
import pytest
import torch
from PIL import Image

from translate.card import Picture
from translate.data.augmentation import Augmentation
from translate.data.collected import samples_of
from translate.data.collection_finding import find_collection
from translate.data.fitting import fit, to_channels
from translate.errors import DatasetError


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_a_picture_of_the_size_is_left_alone():
    pictures = noise(3, 8, 8, 1)
    assert fit(pictures, 8) is pictures


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_smaller_by_a_whole_factor_is_the_mean_of_the_blocks(channels):
    pictures = noise(5, 12, 8, channels)
    pictures[..., 3:] = 255  # opaque: colours weigh alike
    means = pictures.reshape(5, 4, 3, 4, 2, channels).mean((2, 4))
    assert np.abs(fit(pictures, 4) - means).max() <= 1.0  # Pillow rounds after each axis


@pytest.mark.parametrize(("side", "size", "left"), [(28, 32, 2), (24, 32, 4), (7, 8, 0), (31, 32, 0)])
def test_a_little_smaller_is_padded_with_the_median_of_the_border(side, size, left):
    pictures = noise(4, side, side, 3)
    fitted = fit(pictures, size)
    inside = np.s_[:, left : left + side, left : left + side]
    assert np.array_equal(fitted[inside], pictures)
    for picture, result in zip(pictures, fitted, strict=True):
        ring = np.ones((side, side), bool)
        ring[1:-1, 1:-1] = False
        outside = np.ones((size, size), bool)
        outside[inside[1:]] = False
        expected = np.sort(picture[ring], axis=0)
        middle = (expected[(ring.sum() - 1) // 2].astype(int) + expected[ring.sum() // 2]) // 2
        assert (result[outside] == middle).all()


def test_digits_keep_every_pixel_and_get_a_black_border():
    digit = np.zeros((1, 28, 28, 1), np.uint8)
    digit[0, 5:20, 10:18] = 200
    fitted = fit(digit, 32)
    assert fitted.sum() == digit.sum()
    assert np.array_equal(fitted[:, 2:30, 2:30], digit)


def test_much_smaller_grows_bilinearly():
    pictures = noise(3, 10, 12, 3)
    tensor = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    expected = torch.nn.functional.interpolate(tensor, size=(32, 32), mode="bilinear", align_corners=False)
    assert np.abs(fit(pictures, 32) - expected.permute(0, 2, 3, 1).numpy()).max() <= 1.5


def test_each_side_by_itself():
    pictures = np.repeat(noise(2, 1, 28, 1), 64, axis=1)  # 64 high, 28 wide, all rows alike
    fitted = fit(pictures, 32)
    assert np.array_equal(fitted[:, :, 2:30], pictures[:, :32])


def test_luma_is_pillows_and_grey_becomes_three_alike():
    pictures = noise(2, 9, 9, 3)
    grey = to_channels(pictures, 1)
    expected = np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in pictures])
    assert np.array_equal(grey[..., 0], expected)
    assert np.array_equal(to_channels(grey, 3), np.repeat(grey, 3, axis=3))
    with pytest.raises(DatasetError, match="4 channels, and 3 are asked for"):
        to_channels(noise(1, 2, 2, 4), 3)


@pytest.mark.parametrize("resize", [False, True], ids=["cut", "broken: resized"])
@pytest.mark.parametrize("training", [True, False])
def test_arrays_that_are_not_to_be_resized_are_cut(tmp_path, resize, training):
    values = noise(5, 16, 16, 3)
    np.savez(tmp_path / "a.npz", x=values)
    port = Picture(name="x", channels=3)
    part = find_collection(tmp_path, port).train
    augmentation = Augmentation(load_px=8, crop_px=8, resize=resize, flip=False)
    source = samples_of(part, port, augmentation, seed=0, training=training)
    batch = source.__getitems__([(0, index) for index in range(5)])[0]["x"]
    assert batch.shape == (5, 3, 8, 8)
    for picture, cut in zip(values, batch.numpy().transpose(0, 2, 3, 1), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(picture, (8, 8, 3)).reshape(-1, 8, 8, 3)
        assert (windows == cut).all(axis=(1, 2, 3)).any() == (not resize)
