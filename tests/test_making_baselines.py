"""The trivial rivals where the input was made from a photo."""

import numpy as np
import pytest
import torch
from skimage import color as skimage_color
from skimage import data as photographs
from test_making_all import PHOTO, photos
from torch.nn import functional

from pipelines.scoring.baselines import as_translation, fitting_baselines
from pipelines.scoring.heldout import HeldOut, with_made
from translate.data.making import Degraded, Grey, Holes, Shrunk
from translate.errors import DatasetError
from translate.metrics.baselines_made import BorderMean, Enlarged, Inpainted, MeanColour

CPU = torch.device("cpu")
CAT = np.ascontiguousarray(photographs.chelsea()[60:124, 120:200])


def held_out(making):
    keys = tuple(f"photo {index}" for index in range(8))
    return with_made(HeldOut(keys={"b": keys}, ports={"b": PHOTO}, arrays={"b": photos()}, paired=True), making)


# Which


@pytest.mark.parametrize(
    ("making", "labels"),
    [
        (Shrunk(scale=2), ["bicubic", "Lanczos"]),
        (Degraded(), ["bicubic", "Lanczos"]),
        (Holes(), ["OpenCV, Telea", "OpenCV, Navier-Stokes", "mean colour of the hole's border"]),
        (Grey(), ["the input itself", "global colour transfer", "histogram transfer", "mean colour"]),
        (Degraded.mild(), ["the input itself", "global colour transfer", "histogram transfer"]),
    ],
    ids=["shrunk", "degraded", "holes", "grey", "mild"],
)
def test_each_making_has_the_rivals_that_make_sense_and_they_give_pictures_of_the_photos_size(making, labels):
    data = held_out(making)
    rivals = fitting_baselines(data, "a", "b")
    assert [rival.label for rival in rivals] == labels
    truth = data.tensor("b", slice(None), CPU)
    inputs = data.tensor("a", slice(None), CPU)
    for rival in rivals:
        made = as_translation(rival, data, "a", "b")(inputs)
        assert (made.shape, made.dtype) == (truth.shape, torch.float32)
        assert (made - truth).abs().mean() < (made.flip(0) - truth).abs().mean(), "of this photo, not of another"


@pytest.mark.parametrize("making", [Shrunk(), Holes()], ids=["shrunk", "holes"])
def test_nothing_rivals_the_way_back(making):
    assert fitting_baselines(held_out(making), "b", "a") == []


def test_what_is_known_stays_and_the_hole_is_filled():
    data = held_out(Holes())
    inputs, truth = data.tensor("a", slice(None), CPU), data.tensor("b", slice(None), CPU)
    hole = (inputs[:, 3:] > 0).expand(-1, 3, -1, -1)
    for rival in fitting_baselines(data, "a", "b"):
        made = as_translation(rival, data, "a", "b")(inputs)
        assert torch.equal(made[~hole], truth[~hole])
        assert (made - truth)[hole].abs().mean() < 0.7 * (inputs[:, :3] - truth)[hole].abs().mean()


# Enlarging


def test_bicubic_is_torchs_with_the_same_kernel():
    # antialias: then torch's kernel is Pillow's, a = -0.5 and not -0.75.
    made = Enlarged(scale=3, kernel="bicubic")(CAT)
    low = torch.from_numpy(CAT).permute(2, 0, 1)[None].float()
    theirs = functional.interpolate(low, scale_factor=3, mode="bicubic", antialias=True).round().clamp(0, 255)
    assert np.abs(made - theirs[0].permute(1, 2, 0).numpy()).max() <= 1
    assert np.abs(Enlarged(scale=3, kernel="Lanczos")(CAT) - theirs[0].permute(1, 2, 0).numpy()).max() > 1


def test_lanczos_is_a_windowed_sinc_of_three_lobes():
    step = np.repeat(np.where(np.arange(24) < 12, 60, 180)[None], 24, axis=0).astype(np.uint8)
    middles = (np.arange(48) + 0.5) / 2 - 0.5
    offsets = middles[:, None] - np.arange(24)[None]
    weights = np.where(np.abs(offsets) < 3, np.sinc(offsets) * np.sinc(offsets / 3), 0.0)
    theirs = (weights / weights.sum(axis=1, keepdims=True)) @ step[0]
    made = Enlarged(scale=2, kernel="Lanczos")(step)
    assert made.shape == (48, 48, 3)
    assert made[20, :, 0] == pytest.approx(theirs, abs=1)
    assert Enlarged(scale=2, kernel="bicubic")(step)[20, :, 0] != pytest.approx(theirs, abs=1)


# Filling


def with_mask(picture, mask):
    return np.concatenate([picture, np.where(mask, 255, 0).astype(np.uint8)[..., None]], axis=2)


def two_holes():
    """Left half dark, right half light, a hole in the middle of each."""
    picture = np.full((20, 40, 3), 30, np.uint8)
    picture[:, 20:] = (200, 150, 100)
    mask = np.zeros((20, 40), np.bool_)
    mask[5:12, 4:14] = mask[5:12, 26:36] = True
    return picture, mask


def test_each_hole_gets_the_colour_of_its_own_border():
    picture, mask = two_holes()
    torn = np.where(mask[..., None], 128, picture).astype(np.uint8)
    assert np.array_equal(BorderMean()(with_mask(torn, mask)), picture)
    torn[6, 6], torn[8, 30] = 0, 255  # what lies in the hole does not matter
    assert np.array_equal(BorderMean()(with_mask(torn, mask)), picture)
    assert not np.array_equal(BorderMean()(with_mask(torn, np.roll(mask, 1, axis=0))), picture)


def test_a_border_of_many_colours_is_averaged():
    picture = np.random.default_rng(0).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    mask = np.zeros((9, 9), np.bool_)
    mask[4, 4] = True
    border = [picture[place].astype(float) for place in ((3, 4), (5, 4), (4, 3), (4, 5))]
    assert BorderMean()(with_mask(picture, mask))[4, 4].tolist() == np.rint(np.mean(border, axis=0)).tolist()


def test_where_nothing_is_known_nothing_is_filled():
    picture = CAT[:8, :8]
    assert np.array_equal(BorderMean()(with_mask(picture, np.ones((8, 8), np.bool_))), picture)


@pytest.mark.parametrize("kind", ["Telea", "Navier-Stokes"])
def test_opencvs_inpainters_go_on_with_a_slope_where_one_colour_cannot(kind):
    slope = np.repeat(np.linspace(20, 230, 40).astype(np.uint8)[None], 40, axis=0)[..., None].repeat(3, axis=2)
    mask = np.zeros((40, 40), np.bool_)
    mask[14:26, 12:28] = True
    torn = with_mask(np.where(mask[..., None], 128, slope).astype(np.uint8), mask)
    made = Inpainted(kind=kind)(torn)
    assert np.array_equal(made[~mask], slope[~mask])
    wrong, wrong_of_mean = (np.abs(p[mask].astype(float) - slope[mask]).mean() for p in (made, BorderMean()(torn)))
    assert wrong < 0.5 * wrong_of_mean


def test_the_two_inpainters_differ():
    mask = np.zeros(CAT.shape[:2], np.bool_)
    mask[20:40, 20:50] = True
    telea, stokes = (Inpainted(kind=kind)(with_mask(CAT, mask)) for kind in ("Telea", "Navier-Stokes"))
    assert not np.array_equal(telea, stokes)


# Colouring


def test_the_mean_colour_is_the_mean_in_lab_by_scikit_image():
    fitted = MeanColour.fit([CAT, CAT[::-1, :40]])
    means = [skimage_color.rgb2lab(picture)[..., 1:].mean(axis=(0, 1)) for picture in (CAT, CAT[:, :40])]
    assert fitted.ab == pytest.approx(np.mean(means, axis=0), abs=0.02)


def test_a_grey_photo_keeps_its_lightness_and_gets_the_colour():
    grey = np.linspace(60, 200, 64).astype(np.uint8).reshape(8, 8, 1)
    lab = skimage_color.rgb2lab(MeanColour(ab=np.array([12.0, 20.0]))(grey))
    assert lab[..., 0] == pytest.approx(skimage_color.rgb2lab(grey.repeat(3, axis=2))[..., 0], abs=0.5)
    assert lab[..., 1:].reshape(-1, 2).mean(axis=0) == pytest.approx([12, 20], abs=0.5)


def test_a_mean_of_nothing_is_refused():
    with pytest.raises(DatasetError, match="no training pictures"):
        MeanColour.fit([])
