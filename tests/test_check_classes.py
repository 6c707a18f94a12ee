"""`pixturn check` on folders of pictures: domains or classes, and at the size that is trained with."""

import sys

import numpy as np
import pytest
from command_line import done, pixturn
from PIL import Image


def folders(root, px, *names):
    for seed, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.random.default_rng([seed, number]).integers(0, 256, (px, px, 3), np.uint8)
            Image.fromarray(pixels).save(
                root / name / (f"{number}.png" if name.startswith("train") else f"{name}{number}.png")
            )
    return root


def checked(root, *options):
    return done("check", root, "--crop-px", "32", "--no-estimate", *options).out


def test_two_folders_are_domains_and_the_other_reading_is_told(tmp_path):
    told = checked(folders(tmp_path, 32, "cats", "dogs"))
    assert "unpaired" in told
    assert "cats and dogs two classes" in told
    assert "--recipe cgan" in told


def test_a_recipe_that_learns_classes_reads_them_as_classes(tmp_path):
    told = checked(folders(tmp_path, 32, "cats", "dogs"), "--recipe", "cgan")
    assert "cats (12), dogs (12)" in told
    assert "unpaired" not in told
    assert "two classes, rather" not in told


@pytest.mark.parametrize("names", [("A", "B"), ("trainA", "trainB")])
def test_domains_that_say_so_are_no_classes(tmp_path, names):
    assert "classes" not in checked(folders(tmp_path, 32, *names))


def test_a_recipe_that_translates_leaves_them_domains_and_one_that_is_none_is_refused(tmp_path):
    root = folders(tmp_path, 32, "cats", "dogs")
    assert "unpaired" in checked(root, "--recipe", "cyclegan")
    outcome = pixturn("check", root, "--recipe", "cgann", "--no-estimate")
    assert outcome.code == 2
    assert "cgan" in outcome.err


@pytest.mark.parametrize("recipe", [(), ("--recipe", "dcgan-small")], ids=["the fitting recipe", "named"])
@pytest.mark.parametrize(
    ("crop", "warned"), [((), False), (("--crop-px", "96"), True)], ids=["its own size", "broken: larger crops"]
)
def test_classes_are_looked_at_in_the_size_that_is_trained_with(tmp_path, recipe, crop, warned):
    root = folders(tmp_path, 80, "cats", "dogs", "hens", "pigs")
    told = done("check", root, "--no-estimate", *recipe, *crop).out
    assert "cats (12), dogs (12)" in told
    assert ("smaller than the training crop (48)" in told) == warned


@pytest.fixture
def tried(monkeypatch):
    """The recipes whose time and memory would be measured."""
    recipes = []
    monkeypatch.setattr(
        "pipelines.training.estimate.estimate", lambda recipe, *, name: recipes.append(recipe) or f"estimate of {name}"
    )
    return recipes


@pytest.mark.parametrize(
    ("names", "options", "name", "crop_px", "load_px"),
    [
        (("trainA", "trainB"), (), "pix2pix", 256, 286),
        (("trainA", "trainB"), ("--crop-px", "128"), "pix2pix", 128, 143),
        (("trainA", "trainB"), ("--recipe", "pix2pix-small"), "pix2pix-small", 64, 72),
        (("trainA", "trainB"), ("--recipe", "pix2pix-small", "--crop-px", "32"), "pix2pix-small", 32, 36),
        (("cats", "dogs", "hens"), (), "dcgan-small", 32, 32),
        (("cats", "dogs", "hens"), ("--crop-px", "64"), "dcgan-small", 64, 64),
        (("train",), ("--crop-px", "64"), "compact", 64, 64),
        (("train",), ("--recipe", "compact", "--crop-px", "64"), "compact", 64, 64),
        (("train",), ("--recipe", "inpaint-small", "--crop-px", "64"), "inpaint-small", 64, None),
    ],
)
def test_the_estimate_is_of_the_size_that_the_doctor_looks_at(tmp_path, tried, names, options, name, crop_px, load_px):
    root = folders(tmp_path, 80, *names)
    told = done("check", root, *options).out
    assert f"estimate of {name}" in told
    (recipe,) = tried
    assert recipe.data == str(root)
    assert recipe.augmentation.crop_px == crop_px
    if load_px is not None:
        assert recipe.augmentation.load_px == load_px
    assert ("smaller than the training crop" in told) == (crop_px > 80)


def test_a_size_that_a_recipe_cannot_have_costs_the_estimate_and_not_the_doctor(tmp_path):
    told = done("check", folders(tmp_path, 80, "train"), "--crop-px", "33").out
    assert "No estimate: --augmentation.crop-px is 33" in told
    assert "Would be trained on" in told


def test_without_torch_the_doctor_works_and_a_recipe_that_was_named_is_missed(tmp_path, monkeypatch):
    root = folders(tmp_path, 80, "cats", "dogs", "hens")
    monkeypatch.setitem(sys.modules, "pipelines.recipes", None)
    assert "smaller than" not in done("check", root, "--no-estimate").out
    with pytest.raises(ModuleNotFoundError):
        pixturn("check", root, "--no-estimate", "--recipe", "dcgan-small")
