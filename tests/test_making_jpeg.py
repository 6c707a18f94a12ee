"""JPEG on the device against the files that Pillow (libjpeg) writes."""

import io

import kornia.enhance
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as photographs

from translate.data.making.degraded_jpeg import jpeg

PHOTO = np.ascontiguousarray(photographs.astronaut()[:133, 100:307])


def as_tensor(picture):
    return torch.from_numpy(np.atleast_3d(picture)).permute(2, 0, 1)[None].float() / 255


def ours(picture, quality):
    made = (jpeg(as_tensor(picture), quality=quality) * 255)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(made, np.rint(made)), "on the levels of 8 bits"
    return made.reshape(picture.shape)


def of_pillow(picture, quality):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).astype(float)


def of_kornia(picture, quality):
    made = kornia.enhance.jpeg_codec_differentiable(as_tensor(picture), torch.tensor([float(quality)]))
    return np.rint(made.clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255)


def lost_db(made, picture):
    return 10 * np.log10(255**2 / np.square(made - picture.astype(float)).mean())


@pytest.mark.parametrize("quality", [10, 30, 50, 75, 95, 100])
@pytest.mark.parametrize(("picture", "levels"), [(PHOTO, 0.7), (PHOTO[..., 1].copy(), 0.35)], ids=["rgb", "grey"])
def test_it_is_what_pillow_reads_from_its_file(picture, levels, quality):
    theirs = of_pillow(picture, quality)
    assert np.abs(ours(picture, quality) - theirs).mean() < levels
    assert np.abs(of_pillow(picture, max(1, quality - 8)) - theirs).mean() > levels or quality == 100


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_it_loses_as_much_as_pillow_does_where_kornias_soft_rounding_loses_less(quality):
    theirs = lost_db(of_pillow(PHOTO, quality), PHOTO)
    assert lost_db(ours(PHOTO, quality), PHOTO) == pytest.approx(theirs, abs=0.1)
    assert lost_db(of_kornia(PHOTO, quality), PHOTO) > theirs + 0.3


@pytest.mark.parametrize("side", [1, 7, 16, 17])
def test_small_and_odd_sizes_keep_their_size(side):
    assert ours(PHOTO[:side, : side + 3].copy(), 60).shape == (side, side + 3, 3)
