"""`pixturn check` on two folders of pictures, which may be two domains or two classes."""

import numpy as np
import pytest
from command_line import done, pixturn
from PIL import Image


def two_folders(root, *names):
    for seed, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.random.default_rng([seed, number]).integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{name}{number}.png")
    return root


def checked(root, *options):
    return done("check", root, "--crop-px", "32", "--no-estimate", *options).out


def test_two_folders_are_domains_and_the_other_reading_is_told(tmp_path):
    told = checked(two_folders(tmp_path, "cats", "dogs"))
    assert "unpaired" in told
    assert "cats and dogs two classes" in told
    assert "--recipe cgan" in told


def test_a_recipe_that_learns_classes_reads_them_as_classes(tmp_path):
    told = checked(two_folders(tmp_path, "cats", "dogs"), "--recipe", "cgan")
    assert "cats (12), dogs (12)" in told
    assert "unpaired" not in told
    assert "two classes, rather" not in told


@pytest.mark.parametrize("names", [("A", "B"), ("trainA", "trainB")])
def test_domains_that_say_so_are_no_classes(tmp_path, names):
    assert "classes" not in checked(two_folders(tmp_path, *names))


def test_a_recipe_that_translates_leaves_them_domains_and_one_that_is_none_is_refused(tmp_path):
    root = two_folders(tmp_path, "cats", "dogs")
    assert "unpaired" in checked(root, "--recipe", "cyclegan")
    outcome = pixturn("check", root, "--recipe", "cgann", "--no-estimate")
    assert outcome.code == 2
    assert "cgan" in outcome.err
