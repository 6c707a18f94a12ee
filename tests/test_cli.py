"""What the commands say without a run: help, recipes, checks."""

import math
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cli_runs import TRAINED
from command_line import done, pixturn
from PIL import Image
from seeded_defects import DEFECTS, SIZE_PX, clean_set, seed_all

import pipelines
from pipelines.cli import COMMANDS
from pipelines.commands.train import parse
from pipelines.trained import config_class
from translate.devices import multiplies_bf16
from translate.recipe import from_json

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.usefixtures("surroundings")


def test_help_names_every_command_without_torch():
    code = "import sys; from pipelines.cli import main; main(['--help']); assert 'torch' not in sys.modules"
    started = time.monotonic()
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert time.monotonic() - started < 5  # 0.3 s where nothing else runs
    assert all(command in outcome.stdout for command in COMMANDS)


def test_as_a_module_with_the_exit_code():
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments], capture_output=True, text=True, timeout=30
        )

    assert run("--version").stdout.startswith("pixturn ")
    assert run("trian").returncode == 2
    assert "did you mean train?" in run("trian").stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help_and_says_what_it_is_by_default(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    part = {"train": ["pix2pix"], "example": ["basemap"]}.get(command, [])
    outcome = pixturn(command, *part, "--help")
    assert outcome.code == 0
    text = re.sub(r"[│|]", " ", outcome.out)
    options = re.split(r"\n\s+(?=--?[a-z])", re.sub(r"\n\s*\S*─.*", "", text))[1:]
    assert len(options) >= 2
    for option in options:
        assert re.search(r"[a-z] .*[.:].*\((default|required)|show this help", " ".join(option.split())), option


def test_the_recipes_with_what_they_do():
    outcome = done("train", "--help")
    for name in ("pix2pix", "cyclegan", "pix2pix-modern", "cyclegan-modern"):
        assert any(line.split()[:1] == [name] and len(line.split()) > 5 for line in outcome.out.splitlines()), name


@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan", "pix2pix-modern", "cyclegan-modern"])
def test_a_dry_run_prints_the_recipe(recipe, pairs, monkeypatch):
    monkeypatch.chdir(pairs.parent)
    options = ("--epochs", "2", "--seed", "7", "--config.generator.norm", "none")
    outcome = done("train", recipe, "--data", pairs.name, "--dry-run", "--threads", "1", "--device", "cpu", *options)
    read = from_json(outcome.out, config_class)
    assert (read.seed, read.config.generator.norm, read.data) == (7, "none", str(pairs))
    assert read.precision == ("bf16" if multiplies_bf16() else "fp32")
    steps = math.ceil(2 * (TRAINED - held_out(pairs)) / read.batch_size)
    assert read.length.images == steps * read.batch_size
    assert not Path("checkpoints").exists()


def held_out(pairs) -> int:
    """By the count that the layout states."""
    words = done("check", pairs, "--crop-px", "32", "--no-estimate").out
    return int(words.partition("validation ")[2].split()[0])


def test_options_make_the_recipe_that_python_makes():
    options = parse("cyclegan", ["--config.cycle-weight", "3", "--optimisers.discriminator-a.beta1", "0.25"])
    recipe = pipelines.recipe("cyclegan")
    adam = replace(recipe.optimisers["discriminator_a"], beta1=0.25)
    expected = replace(
        recipe,
        config=replace(recipe.config, cycle_weight=3.0),
        optimisers={**recipe.optimisers, "discriminator_a": adam},
    )
    assert options.recipe == expected


def test_bad_data_is_refused_with_all_errors(tmp_path, runs):
    root = clean_set(tmp_path / "set", train=30, test=3)
    kinds = ("--a", "rgb", "labels:4", "--b", "rgb")
    options = ("--augmentation.load-px", "32", "--augmentation.crop-px", str(SIZE_PX), "--runs", runs)
    seeded = seed_all(root)
    outcome = pixturn("train", "pix2pix", "--data", root, "--name", "never", *kinds, *options)
    assert outcome.code == 3
    checked = pixturn("check", root, "--crop-px", SIZE_PX, "--no-estimate", *kinds)
    assert checked.code == 3
    errors = [line for line in checked.out.splitlines() if line.startswith("error:")]
    assert 10 <= len(errors) < len(DEFECTS)
    assert all(line in outcome.err for line in errors)
    assert "cannot be trained on" in outcome.err
    assert all(path.name in checked.out for paths in seeded.values() for path in paths)
    assert not (runs / "never" / "snapshots").exists()


def test_check_of_a_clean_set_says_what_would_be_trained(pairs):
    words = done("check", pairs, "--crop-px", "32", "--no-estimate").out
    assert "paired by stem" in words
    assert "0 errors" in words


@pytest.mark.slow
def test_check_with_an_estimate(pairs):
    words = done("check", pairs, "--crop-px", "64", "--recipe", "pix2pix-small").out
    assert "GB of memory" in words


def test_crops_too_small_for_the_discriminator_are_refused(pairs, runs):
    small = ("--augmentation.load-px", "32", "--augmentation.crop-px", "32", "--threads", "1")
    outcome = pixturn("train", "cyclegan-modern", "--data", pairs, "--name", "small", "--runs", runs, *small)
    assert outcome.code == 2
    assert "at least 48 px" in outcome.err
    assert "at least 48 px" in done("check", pairs, "--crop-px", "32", "--recipe", "cyclegan-modern").out


@pytest.mark.slow
def test_example_check_train_and_run_as_the_help_says(tmp_path, monkeypatch):
    """The first steps of `pixturn --help`, with a shorter training."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    steps = [line.split()[1:] for line in done("--help").out.splitlines() if line.startswith("    pixturn ")]
    upscale, app, example, check, training, run = steps
    assert app == ["app"]
    done(*example)
    assert done(*check, "--no-estimate").code == 0
    minutes = training.index("--minutes")
    narrow = ("--config.generator.width", "4", "--config.discriminator.width", "4", "--validation.most", "8")
    done(*training[:minutes], "--images", "32", "--threads", "1", *narrow, "--no-report")
    done(*run)
    assert Image.open(tmp_path / run[-1]).size == Image.open(tmp_path / run[2]).size
    os.link(tmp_path / run[2], tmp_path / "photo.jpg")
    done(*upscale)
