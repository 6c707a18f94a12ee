"""Pictures that are not square: what is learnt, scored, compared with and encoded is the same middle of each."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import RECIPES, tiny_recipe

from pipelines.assessing.assessment import of_pictures
from pipelines.assessing.options import AssessmentOptions
from pipelines.assessing.real import of_readable_splits, of_splits
from pipelines.encoding import resized
from pipelines.generating import Generate
from pipelines.generating.references import read_fitting
from pipelines.recipes import recipe_named
from pipelines.training.generation.data import open_data
from pipelines.training.generation.held_out import held_out_of
from translate.card import Card, FixedPicture, Latent, Picture
from translate.data.collected import samples_of
from translate.data.collection_finding import scan_collection
from translate.data.dataset import read_tensors
from translate.data.domains import OneDomain, X
from translate.errors import PictureError

GENERATING = [name for name in RECIPES if isinstance(recipe_named(name).domains, OneDomain)]
PORT = Picture(name=X, channels=3)
SIDE_PX = 32


def wide(path, width=96, height=64):
    """Red, green and blue thirds: squeezed to a square all three are there, in the middle square half of the outer."""
    picture = np.zeros((height, width, 3), np.uint8)
    for channel, third in enumerate(np.array_split(np.arange(width), 3)):
        picture[:, third, channel] = 200
    Image.fromarray(picture).save(path)


@pytest.fixture
def folder(tmp_path):
    for index in range(4):
        wide(tmp_path / f"{index}.png")
    return tmp_path


def test_a_picture_of_a_run_that_cannot_be_read_is_left_out_and_told(tmp_path):
    """The first read is refused; the second is of the others, and as many are made as there are real ones."""
    random = np.random.default_rng(0)
    for split, count in (("train", 30), ("test", 12)):
        (tmp_path / "data" / split).mkdir(parents=True)
        for index in range(count):
            picture = random.integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
            Image.fromarray(picture).save(tmp_path / "data" / split / f"{index}.png")
    bad = tmp_path / "data" / "test" / "3.png"
    recipe = replace(tiny_recipe("dcgan"), data=str(tmp_path / "data"), domains=OneDomain())
    _, data = open_data(recipe)
    bad.write_bytes(bad.read_bytes()[:900])
    generate, how = Generate(Flat()), AssessmentOptions(device="cpu", protocols=False)
    with pytest.raises(PictureError):
        of_splits(data, generate, how)
    real = of_readable_splits(data, generate, how)
    assert len(real.pictures) == 11
    assert [each.name for each in real.left_out] == ["3"]
    assert "3.png" in real.notes[0]
    told = of_pictures(generate, real.pictures, how)
    assert told.sets[0].pixels.shape[0] == 11


class Flat:
    """A runtime of noise as pictures."""

    device = "cpu"
    card = Card(
        task="generate",
        method="m",
        name="n",
        inputs=(Latent(name="z", size=8),),
        outputs=(FixedPicture(name=X, channels=3, height_px=SIDE_PX, width_px=SIDE_PX),),
    )

    def run(self, inputs):
        random = np.random.default_rng(int(abs(inputs["z"][0, 0]) * 1e6))
        return {X: random.uniform(-1, 1, (len(inputs["z"]), 3, SIDE_PX, SIDE_PX)).astype(np.float32)}


def share_of_green(pixels):
    return float((pixels[..., 1] > 100).mean())


@pytest.mark.parametrize("name", GENERATING)
def test_a_recipe_that_generates_sees_the_middle_of_what_is_wide(folder, name):
    augmentation = replace(recipe_named(name).augmentation, load_px=SIDE_PX, crop_px=SIDE_PX)
    part = scan_collection(folder).train
    held = held_out_of(part, PORT, augmentation, learns_classes=False, most=4).pixels()
    assert held.shape == (4, SIDE_PX, SIDE_PX, 3)
    assert share_of_green(held) == pytest.approx(0.5, abs=0.05)  # a third, were it squeezed
    learnt = read_tensors(samples_of(part, PORT, augmentation, seed=0, training=True), [0])[X]
    assert share_of_green(learnt.permute(0, 2, 3, 1).numpy()) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", GENERATING)
def test_square_pictures_are_what_they_were(tmp_path, name):
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (50, 50, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    part = scan_collection(tmp_path).train
    kept = replace(recipe_named(name).augmentation, load_px=SIDE_PX, crop_px=SIDE_PX, keep_aspect=True)
    for training in (True, False):
        one, other = (
            read_tensors(samples_of(part, PORT, augmentation, seed=0, training=training), [0])[X]
            for augmentation in (kept, replace(kept, keep_aspect=False))
        )
        assert torch.equal(one, other)


def test_what_is_scored_compared_with_and_encoded_is_that_middle_too(folder):
    port = FixedPicture(name=X, channels=3, height_px=SIDE_PX, width_px=SIDE_PX)
    compared = read_fitting(folder / "0.png", port)
    encoded = resized(np.asarray(Image.open(folder / "0.png")), port)
    assert share_of_green(compared) == pytest.approx(0.5, abs=0.05)
    assert share_of_green(encoded) == pytest.approx(0.5, abs=0.05)
    part = scan_collection(folder).train
    augmentation = replace(recipe_named("dcgan").augmentation, load_px=SIDE_PX, crop_px=SIDE_PX)
    held = held_out_of(part, PORT, augmentation, learns_classes=False, most=1).pixels()[0]
    for other in (compared, encoded):
        assert np.abs(other.astype(int) - held).mean() < 8
