"""Does it memorise? Neighbours against scipy, planted copies that must be found, and fresh samples that must not."""

import json
import tracemalloc

import numpy as np
import pytest
from linear_generators import GREY, LinearGenerator, card
from PIL import Image
from scipy.spatial.distance import cdist
from scipy.stats import binom

from pipelines.generating import Generate, neighbours
from pipelines.generating.neighbours import nearest, nearness
from pipelines.generating.order import Order
from pipelines.generating.outputs import OUTPUTS
from pipelines.generating.references import read_fitting, read_references
from translate.card import FixedPicture
from translate.data.pictures import write_picture
from translate.errors import DatasetError, PictureError


def real(count, seed, side=8):
    """Pictures with a few degrees of freedom, as real ones: two waves of random strength and place."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    strength, phase = generator.uniform(0.2, 1, (count, 2, 1, 1)), generator.uniform(0, 2 * np.pi, (count, 2, 1, 1))
    waves = strength[:, 0] * np.sin(2 * np.pi * x + phase[:, 0]) + strength[:, 1] * np.sin(2 * np.pi * y + phase[:, 1])
    return np.rint(127.5 + 60 * waves).astype(np.uint8)[..., np.newaxis]


def levels(first, second):
    flat = [pictures.reshape(len(pictures), -1).astype(float) for pictures in (first, second)]
    return cdist(*flat) / np.sqrt(flat[0].shape[1])


@pytest.mark.parametrize("chunk", [7, 1000])
def test_neighbours_are_the_nearest(monkeypatch, chunk):
    monkeypatch.setattr(neighbours, "_CHUNK", chunk)
    samples, training = real(20, 1), real(150, 2)
    found, truth = nearest(samples, training, k=4), levels(samples, training)
    order = np.argsort(truth, axis=1)[:, :4]
    assert np.array_equal(found.places, order)
    np.testing.assert_allclose(found.distances, np.take_along_axis(truth, order, axis=1), atol=1e-9)


def test_large_pictures_are_compared_a_few_at_a_time(monkeypatch):
    """One side of 64 pictures of 64 px as float64 is 2 MB; with room for 4 pictures at once no copy is made of all."""
    samples, training = real(64, 1, side=64), real(64, 2, side=64)
    monkeypatch.setattr(neighbours, "_CHUNK_NUMBERS", 4 * 64 * 64)
    tracemalloc.start()
    found = nearest(samples, training, k=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 64 * 64 * 8 / 2
    order = np.argsort(levels(samples, training), axis=1)[:, :2]
    assert np.array_equal(found.places, order)


def test_a_copy_is_at_zero_exactly():
    training = real(50, 3, side=32)
    found = nearest(training[[31, 4]], training, k=1)
    assert found.places[:, 0].tolist() == [31, 4]
    assert found.distances[:, 0].tolist() == [0.0, 0.0]


def test_a_picture_is_not_its_own_neighbour():
    training = real(30, 4)
    found = nearest(training, training, k=29, without=np.arange(30))
    assert found.places.shape == (30, 29)  # all the others
    assert (found.places != np.arange(30)[:, None]).all()
    assert found.distances.max() < np.inf
    assert nearest(training[:1], training[:2], k=9).places.shape == (1, 2)


def test_planted_copies_are_suspicious_and_fresh_pictures_are_not():
    training, fresh = real(400, 5), real(100, 6)
    noise = np.random.default_rng(7).integers(-1, 2, (30, 8, 8, 1))
    copies = (training[:30].astype(int) + noise).clip(0, 255).astype(np.uint8)
    planted = np.concatenate([copies, fresh[30:]])
    for held_out in (None, real(200, 8)):
        verdict = nearness(nearest(fresh, training), training, held_out)
        assert not verdict.is_suspicious
        assert verdict.sentence.startswith("Not closer")
        verdict = nearness(nearest(planted, training), training, held_out)
        assert verdict.is_suspicious
        assert verdict.part >= 0.3
        assert verdict.sentence.startswith("Closer to training pictures than real pictures are: suspicious")


def test_healthy_samples_do_not_cry():
    """The bar is 1 in 1000 and three times the share of real pictures; forty healthy sets are all quiet."""
    verdicts = [
        nearness(nearest(real(64, 1000 + trial), training := real(200, trial)), training) for trial in range(40)
    ]
    assert not any(verdict.is_suspicious for verdict in verdicts)
    assert 0.02 < np.mean([verdict.part for verdict in verdicts]) < 0.09


def test_the_chance_is_the_binomials():
    training, samples = real(100, 9), real(40, 10)
    samples[:5] = training[:5]
    verdict = nearness(nearest(samples, training), training)
    nearer = round(verdict.part * 40)
    assert nearer >= 5
    assert verdict.chance == pytest.approx(binom.sf(nearer - 1, 40, 0.05), rel=1e-9)


def test_figures_are_those_of_the_nearest():
    training, samples, held_out = real(60, 11), real(9, 12), real(21, 13)
    verdict = nearness(nearest(samples, training, k=3), training, held_out)
    own, others = levels(samples, training).min(axis=1), levels(held_out, training).min(axis=1)
    assert verdict.of_samples == pytest.approx(np.median(own))
    assert verdict.of_real == pytest.approx(np.median(others))
    assert verdict.near == pytest.approx(np.quantile(others, 0.05))
    assert verdict.part == pytest.approx((own < np.quantile(others, 0.05)).mean())


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(PictureError, match="Samples are 8 x 8 x 1 and training pictures 9 x 9 x 1"):
        nearest(real(2, 0), real(2, 0, side=9))
    with pytest.raises(PictureError, match="at least 1"):
        nearest(real(2, 0), real(0, 0))
    with pytest.raises(PictureError, match="at least 2"):
        nearness(nearest(real(2, 0), real(1, 0)), real(1, 0))


# Pictures of a folder


PORT = FixedPicture(name="picture", channels=3, height_px=8, width_px=8)


def test_pictures_of_a_folder_are_read_in_order_and_size(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    (tmp_path / "b").mkdir()
    for path, picture in zip(("a.png", "b/a.png", "c.bmp"), pixels, strict=True):
        write_picture(picture, tmp_path / path)
    (tmp_path / "notes.txt").write_text("no picture")
    told = []
    found = read_references(tmp_path, PORT, progress=lambda done, total: told.append((done, total)))
    assert [path.relative_to(tmp_path).as_posix() for path in found.paths] == ["a.png", "b/a.png", "c.bmp"]
    assert np.array_equal(found.pictures, pixels)
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("size", [(16, 16), (32, 16), (16, 40)], ids=str)
def test_other_sizes_are_scaled_and_cut_in_the_middle(tmp_path, size):
    """A grey square in the middle of black borders fills the result but for the edge."""
    width, height = size
    image = Image.new("RGB", size)
    image.paste((90, 90, 90), ((width - 16) // 2, (height - 16) // 2, (width + 16) // 2, (height + 16) // 2))
    image.save(tmp_path / "a.png")
    fitted = read_fitting(tmp_path / "a.png", PORT)
    assert fitted.shape == (8, 8, 3)
    assert np.abs(fitted[1:-1, 1:-1].astype(int) - 90).max() <= 2  # bicubic overshoots a little


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no pictures"):
        read_references(tmp_path, PORT)


# The sheet


def test_a_sheet_has_samples_beside_their_nearest(tmp_path):
    generate = Generate(LinearGenerator(card(outputs=(GREY,))))
    (tmp_path / "training").mkdir()
    for index, pixels in enumerate(generate.pixels(generate.draw(12, seed=5))):
        write_picture(pixels, tmp_path / "training" / f"{index:02d}.png")
    order = Order(out=tmp_path / "sheet.png", neighbours=tmp_path / "training", n=10, seed=5, columns=2)
    told = OUTPUTS["neighbours"](generate, order, lambda done, total: None)
    assert "suspicious" in told  # every sample is a training picture
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (8 * 6 - 2, 3 * 6 - 2)
    assert np.array_equal(sheet[:, :4], sheet[:, 6:10])
    assert not np.array_equal(sheet[:, :4], sheet[:, 12:16])
    document = json.loads((tmp_path / "sheet.json").read_text())
    assert document["is_suspicious"]
    assert len(document["samples"]) == 10
    assert document["samples"][3]["nearest"][0].endswith("03.png")
    assert document["samples"][3]["levels"][0] == 0.0
