"""Folders of photos: albums are no domains and no classes, to training, to the doctor and to `pixturn check`."""

import re
from dataclasses import replace

import numpy as np
import pytest
from command_line import done, pixturn
from PIL import Image
from tiny import tiny_recipe

import pipelines.training.estimate as estimating
from pipelines.training.translation.data import open_data
from pipelines.training.translation.examined import examined
from pipelines.training.translation.photos import find_photos
from translate.data.augmentation import Augmentation
from translate.data.doctor import examine, examine_photos
from translate.data.layouts import find_layout
from translate.errors import DatasetError
from translate.recipe import Length

SIDE_PX = 40


def album(folder, count=4, width_px=SIDE_PX):
    folder.mkdir(parents=True)
    for index in range(count):
        seed = [*folder.as_posix().encode(), index]
        pixels = np.random.default_rng(seed).integers(0, 256, (SIDE_PX, width_px, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")


def recipe(folder, **changes):
    crops = Augmentation(resize=False, crop_px=32, load_px=32)
    return replace(tiny_recipe("compact", data=str(folder), augmentation=crops), **changes)


ALBUMS = {"one": ("2019",), "two": ("2019", "2020"), "three": ("2019", "2020", "2021/june"), "flat": (".",)}


@pytest.fixture(params=ALBUMS)
def albums(request, tmp_path):
    root = tmp_path / "photos"
    for name in ALBUMS[request.param]:
        album(root / name)
    return root


def keys(layout, split):
    return [item.key for item in layout.splits[split].domains["b"]]


def test_all_below_is_for_training_by_its_path(albums):
    layout = find_photos(albums)
    expected = sorted(path.relative_to(albums).with_suffix("").as_posix() for path in albums.rglob("*.png"))
    assert keys(layout, "train") == expected
    assert list(layout.splits) == ["train"]
    assert f"{len(expected)} training pictures in photos" in layout.description


def test_albums_are_two_domains_to_others(tmp_path):
    """The control: what translates reads two albums as domains, and cannot read three."""
    for name in ("2019", "2020"):
        album(tmp_path / name)
    assert set(find_layout(tmp_path).splits["train"].domains) == {"a", "b"}
    album(tmp_path / "2021")
    with pytest.raises(DatasetError, match="not a known layout"):
        find_layout(tmp_path)


def test_the_doctor_looks_into_albums_and_a_run_opens_them(albums):
    assert [problem.severity for problem in examined(recipe(albums))].count("error") == 0
    _, data = open_data(recipe(albums))
    found = len(list(albums.rglob("*.png")))
    assert len(data.training) + len(data.validation) == found
    last = max(albums.rglob("*.png"))
    last.write_bytes(last.read_bytes()[:100])
    assert [problem.paths for problem in examined(recipe(albums)) if problem.severity == "error"] == [(last,)]


def test_splits_hold_albums_and_what_lies_beside_them_is_told(tmp_path):
    for name in ("Train/2019", "Train/2020", "val", "2018"):
        album(tmp_path / name, 2)
    layout = find_photos(tmp_path)
    assert keys(layout, "train") == ["2019/0", "2019/1", "2020/0", "2020/1"]
    assert keys(layout, "validation") == ["0", "1"]
    assert "not used: 2018" in layout.description


@pytest.mark.parametrize(
    ("names", "words"),
    [(("trainA", "trainB"), "one folder of them"), (("test",), "no train"), (("train", "training"), "both are")],
)
def test_what_is_no_folder_of_photos(names, words, tmp_path):
    for name in names:
        album(tmp_path / name)
    with pytest.raises(DatasetError, match=words):
        find_photos(tmp_path)
    problems = examine_photos(tmp_path, crop_px=32).problems
    assert [problem.code for problem in problems] == ["layout"]
    with pytest.raises(DatasetError):
        find_photos(tmp_path / "nowhere")


def test_wide_photos_are_not_taken_for_pairs(tmp_path):
    album(tmp_path / "photos", width_px=2 * SIDE_PX)
    codes = [problem.code for problem in examine_photos(tmp_path / "photos", crop_px=32).problems]
    assert codes == []
    assert "pairing_unclear" in [problem.code for problem in examine(tmp_path / "photos", crop_px=32).problems]


# pixturn check


def test_a_recipe_that_makes_its_pairs_is_checked_as_it_trains(albums):
    told = done("check", albums, "--recipe", "compact", "--no-estimate").out
    assert "one domain" in told
    assert "0 errors" in told


def test_a_recipe_that_makes_its_pairs_refuses_two_domains(tmp_path):
    for name in ("trainA", "trainB"):
        album(tmp_path / name)
    outcome = pixturn("check", tmp_path, "--recipe", "compact", "--no-estimate")
    assert outcome.code == DatasetError.exit_code
    assert "one folder of them" in " ".join(outcome.out.split())
    assert "compact" not in done("check", tmp_path, "--no-estimate").out


def test_without_a_recipe_photos_are_told_what_learns_from_them(tmp_path):
    album(tmp_path / "photos")
    told = done("check", tmp_path / "photos", "--no-estimate").out
    assert "recipe compact" in told
    assert "dcgan-small" in told


def test_a_recipe_by_minutes_is_estimated_in_images(tmp_path, monkeypatch):
    album(tmp_path / "photos")
    monkeypatch.setattr(estimating, "_TRIED_SEC", 0.0)
    told = estimating.estimate(recipe(tmp_path / "photos", length=Length(minutes=20)), "cpu")
    assert "20 minutes by its recipe" in told
    images = re.search(r"about ([\d,]+) images of 32 px", told)
    assert images
    assert int(images[1].replace(",", "")) > 0
    assert "GB of memory" in told
    monkeypatch.setattr(estimating, "images_per_sec", lambda *_, **__: 2.0)
    by_minutes = estimating.estimate(recipe(tmp_path / "photos", length=Length(minutes=20)), "cpu")
    assert "about 2,400 images" in by_minutes
    by_images = estimating.estimate(recipe(tmp_path / "photos", length=Length(images=2400)), "cpu", name="compact")
    assert "compact as by its recipe (2,400 images of 32 px): about 20 minutes" in by_images


@pytest.mark.parametrize(("count", "code"), [(1, 3), (2, 0)])
def test_a_single_photo_is_refused_by_check_as_by_training(count, code, tmp_path):
    album(tmp_path / "photos", count=count)
    shown = pixturn("check", tmp_path / "photos", "--recipe", "compact")
    assert shown.code == code
    assert ("a single training picture in domain b" in shown.out) == bool(code)
