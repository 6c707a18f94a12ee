"""Learning from photos alone, inputs being made from them: from a folder to a proven file, by the usual commands."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from command_line import done
from PIL import Image
from tiny import photograph, tiny_recipe

import pipelines
from pipelines.exporting.made import made_samples
from pipelines.recipes import named_recipes, recipe_named
from pipelines.scoring.heldout import with_made
from pipelines.training import Setting, train
from pipelines.training.session import open_session
from pipelines.training.translation.data import open_data
from translate.data.augmentation import Augmentation
from translate.data.domains import MadePairs
from translate.data.making import Grey, Holes, Shrunk
from translate.data.pictures import read_picture
from translate.errors import ConfigurationError, DatasetError
from translate.filling import FillingConfig
from translate.optimisers import Adam
from translate.processes import Processes
from translate.recipe import Length, Validation

SIDE_PX = 64
CROPS = Augmentation(resize=False, crop_px=32, load_px=32)
RUNS = {"compact": Shrunk(scale=2), "lama-small": Holes(), "inpaint-small": Holes(), "colourise": Grey()}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for split, name, count in (("train", "astronaut", 8), ("validation", "chelsea", 2), ("test", "coffee", 2)):
        (folder / split).mkdir()
        for index in range(count):
            top, left = 8 * index, 7 * index
            crop = photograph(name)[top : top + SIDE_PX, left : left + SIDE_PX]
            Image.fromarray(crop).save(folder / split / f"{name}-{index}.png")
    (folder / "dataset.json").write_text(json.dumps({"licence": "public domain", "attribution": "by three people"}))
    return folder


def short(name, photos, **changes):
    recipe = tiny_recipe(name, data=str(photos), augmentation=CROPS, length=Length(images=4))
    return replace(recipe, validation=Validation(every_images=4, best="l1"), **changes)


@pytest.fixture(scope="module", params=RUNS)
def trained(request, photos, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    setting = Setting(device="cpu", workers=0, runs=runs)
    train(short(request.param, photos), name="run", setting=setting)
    return runs / "run"


def test_a_run_scores_reports_and_says_its_task(trained):
    page = (trained / "report.html").read_text()
    assert "PSNR" in page
    assert "never trained on" in page
    card = pipelines.load(trained).card
    assert card.task in ("upscale", "inpaint", "translate")
    assert card.licence == "public domain"
    assert card.data.endswith("by three people")
    assert card.scale == (2 if card.task == "upscale" else 1)


def test_it_exports_with_proof_on_inputs_made_of_whole_held_out_photos(trained, tmp_path):
    file = tmp_path / "model.onnx"
    done("export", trained, "-o", file)
    pipeline = pipelines.load(file)
    assert pipeline.card.parity["difference"] <= 1e-4
    run = pipelines.load(trained)
    photo = Image.fromarray(photograph("coffee")[:40, :50])
    named = {port.name: _given(port, photo) for port in pipeline.card.inputs}
    made, expected = pipeline.batch([named])[0]["b"], run.batch([named])[0]["b"]
    assert made.shape == (40 * pipeline.card.scale, 50 * pipeline.card.scale, 3)
    assert np.abs(made.astype(int) - expected).max() <= 1


def _given(port, photo):
    if port.kind == "mask":
        mask = np.zeros((photo.height, photo.width, 1), np.uint8)
        mask[10:20, 10:30] = 255
        return mask
    return np.asarray(photo.convert("L"))[..., np.newaxis] if port.channels == 1 else np.asarray(photo)


# What is made


def test_held_out_inputs_are_the_same_for_every_seed_and_training_ones_are_not(photos):
    recipes = [short("lama-small", photos, seed=seed) for seed in (0, 1)]
    kept = [open_data(recipe)[1].held_out.arrays["mask"] for recipe in recipes]
    assert torch.equal(*kept)
    drawn = [next_batch(recipe)["a"][:, 3:] for recipe in recipes]
    assert not torch.equal(*drawn)


def next_batch(recipe, workers=0):
    recipe, data = open_data(recipe)
    stream = open_session(recipe, data, CPU, Processes(), workers).stream()
    try:
        return stream()
    finally:
        stream.batches.close()


def test_training_inputs_follow_from_the_place_in_the_run_alone(photos):
    """However many samples a batch has, and whoever reads them."""
    of_four = next_batch(short("lama-small", photos, batch_size=4))
    of_two = next_batch(short("lama-small", photos, batch_size=2), workers=1)
    assert all(torch.equal(of_four[name][:2], of_two[name]) for name in ("a", "b"))


def test_a_batch_is_made_of_the_photos_in_it(photos):
    batch = next_batch(short("compact", photos))
    small = torch.nn.functional.avg_pool2d(batch["b"], 2)
    assert batch["a"].shape == small.shape
    assert float((batch["a"] - small).abs().mean()) < 0.05  # another filter, but the same photo
    assert float((batch["a"].flip(0) - small).abs().mean()) > 0.1


def test_crops_are_cut_from_photos_as_they_are(photos):
    """Every pixel of a crop stands in its photo; resized to the size of loading it would not."""
    crops = next_batch(short("compact", photos))["b"]
    known = {
        tuple(pixel) for path in photos.glob("train/*.png") for pixel in read_picture(path, channels=3).reshape(-1, 3)
    }
    pixels = ((crops.permute(0, 2, 3, 1).reshape(-1, 3) + 1) * 127.5).round().int().tolist()
    assert all(tuple(pixel) in known for pixel in pixels)
    resized = replace(CROPS, resize=True, load_px=40)
    moved = next_batch(short("compact", photos, augmentation=resized))["b"]
    pixels = ((moved.permute(0, 2, 3, 1).reshape(-1, 3) + 1) * 127.5).round().int().tolist()
    assert not all(tuple(pixel) in known for pixel in pixels)


def test_proofs_see_whole_photos_in_multiples_of_the_scale(photos):
    _, data = open_data(short("compact", photos))
    domains = MadePairs(making=Shrunk(scale=3))
    for sample in made_samples(domains, data.validation.domains["b"]):
        assert sample["a"].shape == (SIDE_PX // 3, SIDE_PX // 3, 3)


def test_masks_among_held_out_inputs_are_black_and_white(photos):
    _, data = open_data(short("lama-small", photos))
    held_out = with_made(data.held_out, Holes())
    assert set(held_out.arrays["mask"].unique().tolist()) == {0, 255}
    assert held_out.arrays["mask"].shape[1] == 1


# What is refused


def test_two_domains_are_no_folder_of_photos(tmp_path):
    for name in ("trainA", "trainB"):
        (tmp_path / name).mkdir()
        Image.fromarray(photograph("coffee")).save(tmp_path / name / "one.png")
    with pytest.raises(DatasetError, match="one folder of them"):
        open_data(short("compact", tmp_path))


def test_a_crop_that_the_scale_does_not_divide_is_refused(photos):
    with pytest.raises(ConfigurationError, match="multiple of 3"):
        short("compact", photos, domains=MadePairs(making=Shrunk(scale=3)))


def test_a_run_does_not_hide_a_bundle_of_its_name(photos, tmp_path):
    (tmp_path / "x9").mkdir()
    (tmp_path / "x9" / "x9.onnx").write_bytes(b"a model")
    with pytest.raises(ConfigurationError, match="holds a bundle"):
        train(short("compact", photos), name="x9", setting=Setting(device="cpu", workers=0, runs=tmp_path))


def test_a_damaged_photo_is_told_before_the_run_begins(photos, tmp_path):
    for path in photos.glob("train/*.png"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    setting = Setting(device="cpu", workers=0, runs=tmp_path / "runs", report=False)
    with pytest.raises(DatasetError, match="cannot be trained on"):
        train(short("compact", tmp_path), name="run", setting=setting)


def test_a_second_stage_starts_from_a_run_that_had_no_discriminator(photos, tmp_path):
    setting = Setting(device="cpu", workers=0, runs=tmp_path, report=False)
    train(short("compact", photos), name="first", setting=setting)
    held = {"generator": Adam(learning_rate=0.0), "discriminator": Adam()}
    second = short("compact-gan", photos, optimisers=held, start_from=str(tmp_path / "first"))
    train(second, name="second", setting=setting)
    picture = photograph("coffee")[:20, :20]
    first, again = (pipelines.load(tmp_path / name).outputs(picture)["b"] for name in ("first", "second"))
    assert np.array_equal(first, again)
    wider = replace(second.config, generator=replace(second.config.generator, width=12))
    with pytest.raises(ConfigurationError, match="start-from"):
        train(replace(second, config=wider), name="third", setting=setting)


FILLING = [name for name in named_recipes() if isinstance(recipe_named(name).config, FillingConfig)]


@pytest.mark.parametrize("name", FILLING)
def test_a_stage_that_learns_no_features_does_not_hand_on_what_features_judge_best(name):
    """A second stage of `inpaint-small` that began at the lowest perceptual distance of the first learnt nothing."""
    recipe = recipe_named(name)
    learns_features = recipe.config.perceptual_weight > 0
    assert (recipe.validation.best == "perceptual") == learns_features
