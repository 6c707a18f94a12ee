"""The same words from Python: a run, typed errors, public names."""

from dataclasses import replace

import numpy as np
import pytest
from cli_runs import TINY, crop, drawn
from PIL import Image

import pipelines
from pipelines.commands.train import parse
from pipelines.training import Setting
from translate.errors import ConfigurationError, DatasetError, ModelError
from translate.recipe import Length

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.usefixtures("surroundings")


def test_the_same_words_from_python(pairs, tmp_path):
    recipe = parse("pix2pix", [word for word in TINY if word not in {"--workers", "0"}]).recipe
    recipe = replace(recipe, length=Length(images=8), data="")
    setting = Setting(device="cpu", workers=0, runs=tmp_path, report=False)
    run = pipelines.train(recipe, pairs, name="python", setting=setting)
    assert run.path == tmp_path / "python"
    assert pipelines.resume("python", setting).path == run.path
    translate = pipelines.load(run.path, device="cpu")
    pixels = crop(7, 21, 50)
    drawn(pixels, tmp_path / "picture.png")
    made = [np.asarray(translate(each)) for each in (pixels, Image.fromarray(pixels), tmp_path / "picture.png")]
    assert made[0].shape == pixels.shape
    assert all(np.array_equal(made[0], other) for other in made[1:])


def test_errors_from_python_are_typed(pairs, tmp_path):
    setting = Setting(runs=tmp_path, workers=0)
    with pytest.raises(ModelError, match="no run or bundle"):
        pipelines.load("nothing", runs=tmp_path)
    with pytest.raises(ModelError):
        pipelines.resume("nothing", setting)
    with pytest.raises(ConfigurationError, match="did you mean pix2pix"):
        pipelines.recipe("pix2pixx")
    with pytest.raises(ConfigurationError, match="nothing to train on"):
        pipelines.train(pipelines.recipe("pix2pix"), name="x", setting=setting)
    recipe = pipelines.recipe("pix2pix")
    best = replace(recipe, validation=replace(recipe.validation, best="psnrr"))
    with pytest.raises(ConfigurationError, match="did you mean psnr"):
        pipelines.train(best, pairs, name="x", setting=replace(setting, check=False))
    with pytest.raises(DatasetError):
        pipelines.train(pipelines.recipe("pix2pix"), tmp_path / "nowhere", name="x", setting=setting)


def test_public_names():
    assert sorted(pipelines.__all__) == [
        "Generate",
        "Setting",
        "drift",
        "evaluate",
        "export",
        "import_weights",
        "load",
        "recipe",
        "resume",
        "run_folder",
        "train",
    ]
    assert all(callable(getattr(pipelines, name)) for name in pipelines.__all__)
    with pytest.raises(AttributeError):
        _ = pipelines.something
