"""The commands as people use them, end to end on tiny runs of real pictures."""

import io
import json
import math
import os
import re
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from seeded_defects import DEFECTS, SIZE_PX, clean_set, seed_all
from tiny import photograph

import pipelines
from pipelines.cli import COMMANDS, main
from pipelines.commands.train import parse
from pipelines.runs import RunFolder
from pipelines.trained import Trained, config_class
from pipelines.training import Setting
from translate.devices import multiplies_bf16
from translate.errors import ConfigurationError, DatasetError, ModelError
from translate.recipe import Length, from_json

TRAINED = 16
TESTED = 5
TINY = (
    *("--augmentation.load-px", "32", "--augmentation.crop-px", "32"),
    *("--config.generator.width", "4", "--config.discriminator.width", "4", "--config.discriminator.layers", "1"),
    *("--batch-size", "4", "--workers", "0", "--threads", "1"),
    *("--validation.most", "4", "--validation.fraction", "0.3", "--validation.every-images", "16"),
)
SHORT = ("--images", "32")
RESNET = ("--config.generator.blocks", "1")
COMPARES = ("--validation.best", "l1")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def pixturn(*arguments) -> Outcome:
    """The command in this process; tyro ends with SystemExit."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    return Outcome(code, out.getvalue(), err.getvalue())


def done(*arguments) -> Outcome:
    outcome = pixturn(*arguments)
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.fixture(scope="module", autouse=True)
def surroundings(tmp_path_factory):
    """Wide lines, a cache folder of our own, and the threads that others had."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "400")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.chdir(tmp_path_factory.mktemp("home"))
        yield
    torch.set_num_threads(threads)


def crop(index: int, height: int = 36, width: int = 40) -> np.ndarray:
    return photograph("astronaut")[index * 4 : index * 4 + height, index * 3 : index * 3 + width]


def drawn(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Negatives in A, pictures in B; the halves of a pair have one name."""
    root = tmp_path_factory.mktemp("pairs")
    for index in range(TRAINED + TESTED):
        split = "train" if index < TRAINED else "test"
        drawn(255 - crop(index), root / f"{split}A" / f"p{index:02d}.png")
        drawn(crop(index), root / f"{split}B" / f"p{index:02d}.png")
    (root / "dataset.json").write_text('{"licence": "CC0"}')
    return root


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


def train(recipe, data, name, runs, *options, length=SHORT) -> RunFolder:
    done("train", recipe, "--data", data, "--name", name, "--runs", runs, *TINY, *length, *options)
    return RunFolder(path=runs / name)


@pytest.fixture(scope="module")
def paired_run(pairs, runs):
    return train("pix2pix", pairs, "colours", runs)


@pytest.fixture(scope="module")
def unpaired_run(pairs, runs):
    averaged = ("--average-half-life-images", "100")
    return train("cyclegan", pairs, "both-ways", runs, *RESNET, *COMPARES, *averaged, "--no-report")


def metrics_of(run: RunFolder) -> list[dict]:
    return [json.loads(line) for line in run.metrics.read_text().splitlines()]


def first_scores(run: RunFolder) -> dict:
    return next(line for line in metrics_of(run) if "validation/l1" in line)


def snapshot_at(run: RunFolder, images: int) -> Path:
    return run.snapshots / f"images-{images:012d}"


def recipe_of(run: RunFolder):
    newest = sorted(run.snapshots.iterdir())[-1]
    return from_json((newest / "recipe.json").read_text(), config_class)


# The answers that need no run


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


REFUSED = {
    "command": (["trian"], 2, "did you mean train?"),
    "recipe": (["train", "pix2pixx", "--data", "x", "--name", "x"], 2, "did you mean pix2pix?"),
    "no recipe": (["train", "--name", "x"], 2, "needs a recipe"),
    "nothing after train": (["train"], 2, "needs a recipe"),
    "no data": (["train", "pix2pix", "--name", "x"], 2, "--data DIR"),
    "learning rate": (["train", "pix2pix", "--optimisers.generator.learning-rate", "-1"], 2, "learning-rate is -1"),
    "part of a run": (["train", "pix2pix", "--schedule.hold", "1.5", "--dry-run"], 2, "--schedule.hold is 1.5"),
    "name with a path": (["train", "pix2pix", "--data", "x", "--name", "../x"], 2, "without a path"),
    "option": (["train", "pix2pix", "--augmentation.lood-px", "9"], 2, "--augmentation.load-px"),
    "value": (["train", "pix2pix", "--augmentation.load-px", "9"], 2, "load_px is 9, less than crop_px 256"),
    "two lengths": (["train", "pix2pix", "--images", "9", "--epochs", "1", "--dry-run"], 2, "one length"),
    "no length": (["train", "pix2pix", "--images", "0", "--dry-run"], 2, "above 0"),
    "no such folder": (["train", "pix2pix", "--data", "nowhere", "--name", "x"], 3, "nowhere"),
    "run": (["run", "colour", "picture.png", "-o", "out.png"], 4, "did you mean colours?"),
    "run to resume": (["train", "--resume", "colour"], 4, "did you mean colours?"),
    "run to report": (["report", "colour"], 4, "did you mean colours?"),
    "run to start from": (
        ["train", "pix2pix", "--data", "x", "--name", "x", "--start-from", "colour"],
        4,
        "did you mean colours?",
    ),
    "option of run": (["run", "colours", "picture.png", "--ouut", "x"], 2, "--out"),
    "example": (["example", "openmoj", "x"], 2, "openmoji"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_exist_is_refused_with_the_nearest_name(what, paired_run, runs, tmp_path, monkeypatch):
    arguments, code, words = REFUSED[what]
    drawn(crop(0), tmp_path / "picture.png")
    monkeypatch.chdir(tmp_path)
    takes_runs = arguments[0] in {"run", "report", "train"} and len(arguments) > 1 and arguments[1] != "--name"
    outcome = pixturn(*arguments, *(["--runs", runs] if takes_runs else []))
    assert (outcome.code, words in outcome.err) == (code, True), outcome.err


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


# A run


def test_a_run_leaves_what_it_promises(paired_run, pairs):
    assert paired_run.report.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in paired_run.snapshots.iterdir()) == [
        f"images-{images:012d}" for images in (0, 16, 32)
    ]
    assert sorted(path.name for path in paired_run.samples.iterdir()) == [
        f"images-{images:012d}.png" for images in (16, 32)
    ]
    assert list((paired_run.path / "tensorboard").glob("events.*"))
    lines = metrics_of(paired_run)
    assert [line["images"] for line in lines if "validation/perceptual" in line] == [16, 32]
    assert {"discriminator/adversarial", "generator/adversarial"} <= lines[0].keys()
    card = pipelines.load(paired_run.path, device="cpu").card
    assert (card.method, card.name, card.licence) == ("pix2pix", "colours", "CC0")
    assert recipe_of(paired_run).data == str(pairs)


def test_list_shows_runs_and_methods(paired_run, runs):
    words = done("list", "--runs", runs).out
    assert "pix2pix" in words
    line = next(line for line in words.splitlines() if "colours" in line)
    assert "32 of 32" in line
    assert "perceptual" in line
    assert "no runs" in done("list", "--runs", runs / "nothing").out


@pytest.mark.parametrize("ending", ["png", "webp", "jpg", "tiff"])
def test_a_picture_of_any_size_comes_back_at_that_size(paired_run, runs, tmp_path, ending):
    drawn(crop(3, 45, 37), tmp_path / "picture.jpg")
    target = tmp_path / "new" / f"out.{ending}"
    outcome = done("run", "colours", tmp_path / "picture.jpg", "-o", target, "--runs", runs, "--device", "cpu")
    assert "cpu" in outcome.out
    made = Image.open(target)
    assert made.size == (37, 45)
    if ending == "png":
        expected = pipelines.load("colours", runs=runs, device="cpu")(tmp_path / "picture.jpg")
        np.testing.assert_array_equal(np.asarray(made), np.asarray(expected))


def test_what_cannot_be_translated_is_refused_alone(paired_run, runs, tmp_path):
    def run(picture, out):
        return pixturn("run", "colours", picture, "-o", out, "--runs", runs)

    (tmp_path / "text.png").write_text("not a picture")
    assert run(tmp_path / "text.png", tmp_path / "out.png").code == 3
    assert run(tmp_path / "nothing.png", tmp_path / "out.png").code == 2
    drawn(crop(0), tmp_path / "picture.png")
    before = (tmp_path / "picture.png").read_bytes()
    for out in (tmp_path / "picture.png", tmp_path, tmp_path / "out.gif"):
        assert run(tmp_path / "picture.png", out).code == 2
    assert run(tmp_path, tmp_path).code == 2
    assert (tmp_path / "picture.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.png", "text.png"]


def test_a_folder_with_broken_pictures(paired_run, runs, tmp_path):
    source, out = tmp_path / "in", tmp_path / "in" / "translated"
    drawn(crop(0, 33, 47), source / "one.png")
    drawn(crop(1), source / "deep" / "two.jpg")
    (source / "bad.png").write_bytes((source / "one.png").read_bytes()[:-200])
    (source / "notes.txt").write_text("no picture")

    outcome = pixturn("run", "colours", source, "-o", out, "--runs", runs)
    assert outcome.code == 8
    (failure,) = [json.loads(line) for line in (out / "failures.jsonl").read_text().splitlines()]
    assert (failure["path"], failure["reason"]) == (str(source / "bad.png"), "truncated")
    made = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert made == {"one.png", "deep/two.jpg.png"}
    assert Image.open(out / "one.png").size == (47, 33)

    (out / "one.png").unlink()
    untouched = (out / "deep/two.jpg.png").stat().st_mtime_ns
    drawn(crop(2), source / "bad.png")
    assert done("run", "colours", source, "-o", out, "--runs", runs).out.startswith("3 pictures")
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.png")} == made | {"bad.png"}
    assert (out / "deep/two.jpg.png").stat().st_mtime_ns == untouched
    assert not (out / "failures.jsonl").exists()


def test_an_empty_folder_is_an_error(paired_run, runs, tmp_path):
    outcome = pixturn("run", "colours", tmp_path, "-o", tmp_path / "out", "--runs", runs)
    assert outcome.code == 2
    assert "holds no pictures" in outcome.err


def test_report_scores_anew_and_tells_commands_that_work(paired_run, pairs, runs, tmp_path, monkeypatch):
    paired_run.report.unlink()
    words = done("report", "colours", "--runs", runs, "--device", "cpu").out
    assert "strongest baseline" in words
    assert paired_run.report.exists()
    drawn(crop(0), tmp_path / "picture.png")
    monkeypatch.chdir(tmp_path)
    lines = [line.split() for line in words.splitlines() if line.startswith("    pixturn ")]
    picture = next(line for line in lines if "picture.png" in line)
    done(*picture[1:])
    tuned = [{"DIR": pairs, "NEW_NAME": "tuned"}.get(word, word) for word in next(x for x in lines if "train" in x)]
    outcome = done(*tuned[1:], "--runs", runs, "--images", "4", "--workers", "0", "--threads", "1", "--no-report")
    assert "4 images" in outcome.err


def test_a_finished_run_resumes_to_its_end_at_once(paired_run, runs):
    before = paired_run.metrics.read_bytes()
    newest = snapshot_at(paired_run, 32) / "manifest.json"
    written = newest.stat().st_mtime_ns
    done("train", "--resume", "colours", "--runs", runs, "--no-report")
    assert paired_run.metrics.read_bytes() == before
    assert newest.stat().st_mtime_ns == written


def test_a_name_that_is_taken_is_refused(paired_run, pairs, runs):
    outcome = pixturn("train", "pix2pix", "--data", pairs, "--name", "colours", "--runs", runs, *TINY)
    assert outcome.code == 2
    assert "--resume colours" in outcome.err


def test_a_run_without_a_name_is_called_after_its_method(pairs, tmp_path):
    done("train", "pix2pix", "--data", pairs, "--runs", tmp_path, *TINY, "--images", "4", "--no-report")
    assert RunFolder(path=tmp_path / "pix2pix-1").has_started


def test_runs_where_nothing_can_be_written_are_refused(pairs):
    outcome = pixturn("train", "pix2pix", "--data", pairs, "--runs", "/proc/nope", *TINY)
    assert outcome.code == 2
    assert "--runs" in outcome.err


def test_fine_tuning_starts_from_the_best_weights(unpaired_run, pairs, runs):
    """Without learning the first scores are the source's; instance norm has no statistics that would move."""
    networks = ("generator-ab", "generator-ba", "discriminator-a", "discriminator-b")
    still = [word for name in networks for word in (f"--optimisers.{name}.learning-rate", "0")]
    other = ("--seed", "1", *RESNET, *COMPARES, "--no-report", *still)
    tuned = train("cyclegan", pairs, "still", runs, "--start-from", "both-ways", *other)
    card = pipelines.load(unpaired_run.path, device="cpu").card
    source = load_file(snapshot_at(unpaired_run, card.images_seen) / "averaged.safetensors")
    start = load_file(snapshot_at(tuned, 0) / "averaged.safetensors")
    assert source.keys() == start.keys()
    assert all(np.array_equal(source[name], start[name]) for name in source)
    assert first_scores(tuned)["validation/l1"] == card.metrics["l1"]


def test_fine_tuning_refuses_other_networks(unpaired_run, pairs, runs):
    other = ("--config.generator.width", "8", "--start-from", "both-ways")
    outcome = pixturn("train", "cyclegan", "--data", pairs, "--name", "wide", "--runs", runs, *TINY, *RESNET, *other)
    assert outcome.code == 2
    assert "--start-from" in outcome.err


def test_direction_picks_the_other_generator(unpaired_run, runs, tmp_path):
    pixels = crop(5, 32, 32)
    drawn(pixels, tmp_path / "picture.png")
    made = {}
    for direction in ("AtoB", "BtoA"):
        target = tmp_path / f"{direction}.png"
        options = ("--direction", direction, "--runs", runs, "--device", "cpu")
        done("run", "both-ways", tmp_path / "picture.png", "-o", target, *options)
        made[direction] = np.asarray(Image.open(target))
    method = Trained.read(unpaired_run).method
    numbers = torch.from_numpy(pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1))
    for direction, generator in (("AtoB", method.generator_ab), ("BtoA", method.generator_ba)):
        with torch.inference_mode():
            expected = ((generator(numbers)[0].numpy().transpose(1, 2, 0) + 1) * 127.5).round().clip(0, 255)
        assert np.abs(made[direction] - expected).max() <= 1
    assert np.abs(made["AtoB"].astype(int) - made["BtoA"]).max() > 3


def test_a_direction_that_a_method_lacks(paired_run, runs, tmp_path):
    drawn(crop(0), tmp_path / "picture.png")
    options = ("-o", tmp_path / "out.png", "--direction", "BtoA", "--runs", runs)
    outcome = pixturn("run", "colours", tmp_path / "picture.png", *options)
    assert outcome.code == 2
    assert "AtoB" in outcome.err


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


# From Python


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
    with pytest.raises(ModelError, match="no trained run"):
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


# Kinds of pictures, and everything that takes longer


@pytest.mark.slow
def test_a_budget_in_minutes_becomes_images(pairs, runs):
    started = time.monotonic()
    run = train("pix2pix", pairs, "minutes", runs, "--no-report", length=("--minutes", "0.05"))
    assert time.monotonic() - started < 60
    recipe = recipe_of(run)
    assert recipe.length.minutes is None
    assert recipe.length.images is not None
    assert recipe.length.images > 0


@pytest.mark.slow
def test_training_the_other_way_round(pairs, runs):
    run = train("pix2pix", pairs, "backwards", runs, "--direction", "BtoA", "--no-report")
    sheet = np.asarray(Image.open(sorted(run.samples.iterdir())[0]))
    first = sheet[:32, :32], sheet[:32, 64:]
    given = {
        path.stem: np.asarray(Image.open(path).resize((32, 32), Image.Resampling.BOX))
        for path in (pairs / "trainB").iterdir()
    }
    nearest = min(given.values(), key=lambda picture: np.abs(picture.astype(int) - first[0]).mean())
    assert np.abs(nearest.astype(int) - first[0]).mean() < 8
    assert np.abs(255 - nearest.astype(int) - first[1]).mean() < 8


def labels_of(pixels: np.ndarray) -> np.ndarray:
    return (pixels.sum(axis=2) // 192).clip(0, 3).astype(np.uint8)


@pytest.fixture(scope="module")
def kinds_set(tmp_path_factory):
    """Colour, its grey version, and label maps by brightness."""
    root = tmp_path_factory.mktemp("kinds")
    for index in range(TRAINED):
        pixels = crop(index)
        grey = pixels.mean(axis=2).astype(np.uint8)
        for folder, picture in (("rgb", pixels), ("grey", grey), ("labels", labels_of(pixels))):
            drawn(picture, root / folder / f"p{index:02d}.png")
    return root


KINDS = {
    "label maps in": (("labels:4",), ("rgb",)),
    "label maps out": (("rgb",), ("labels:4",)),
    "grey in": (("grey",), ("rgb",)),
    "grey out": (("rgb",), ("grey",)),
    "two in": (("rgb", "grey"), ("rgb",)),
    "label maps beside pictures, two out": (("rgb", "labels:4"), ("rgb", "grey")),
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize("case", KINDS)
def test_kinds_of_pictures(case, recipe, kinds_set, runs, tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    for domain, kinds in zip("AB", KINDS[case], strict=True):
        for number, kind in enumerate(kinds):
            (root / f"train{domain}{number + 1 if number else ''}").symlink_to(kinds_set / kind.partition(":")[0])
    a, b = KINDS[case]
    name = f"{recipe}-{case}".replace(" ", "-").replace(",", "")
    resnet = RESNET if recipe == "cyclegan" else ()
    train(recipe, root, name, runs, "--a", *a, "--b", *b, *resnet, *COMPARES, "--no-check")
    assert (runs / name / "report.html").exists()

    inputs = [tmp_path / f"{kind.partition(':')[0]}.png" for kind in a]
    for path in inputs:
        picture = np.asarray(Image.open(kinds_set / path.stem / "p00.png"))
        drawn(picture[:33, :29], path)
    done("run", name, *inputs, "-o", tmp_path / "out.png", "--runs", runs, "--device", "cpu")
    made = Image.open(tmp_path / "out.png")
    assert made.size == (29, 33)
    assert made.mode == ("RGB" if b[0] == "rgb" else "L")
    if b[0].startswith("labels"):
        assert np.asarray(made).max() < 4
    if len(b) > 1:
        assert Image.open(tmp_path / "out.b2.png").size == (29, 33)
    assert pixturn("run", name, *inputs, inputs[0], "-o", tmp_path / "x.png", "--runs", runs).code == 2


@pytest.mark.slow
def test_folders_of_several_pictures_at_once(kinds_set, runs, tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    for folder, kind in (("trainA", "rgb"), ("trainA2", "grey"), ("trainB", "rgb")):
        (root / folder).symlink_to(kinds_set / kind)
    train("pix2pix", root, "couples", runs, "--a", "rgb", "grey", "--no-check", "--no-report")
    for index in range(3):
        drawn(crop(index), tmp_path / "one" / f"p{index}.png")
        drawn(crop(index)[..., 0], tmp_path / "two" / f"p{index}.png")
    (tmp_path / "two" / "p1.png").unlink()
    drawn(crop(2, 8, 8)[..., 0], tmp_path / "two" / "p2.png")
    outcome = pixturn("run", "couples", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "out", "--runs", runs)
    assert outcome.code == 8
    failures = [json.loads(line) for line in (tmp_path / "out" / "failures.jsonl").read_text().splitlines()]
    assert [failure["reason"] for failure in failures] == ["missing_partner", "sizes_differ"]
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["p0.png"]


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
    example, check, training, run = steps
    done(*example)
    assert done(*check, "--no-estimate").code == 0
    minutes = training.index("--minutes")
    narrow = ("--config.generator.width", "4", "--config.discriminator.width", "4", "--validation.most", "8")
    done(*training[:minutes], "--images", "32", "--threads", "1", *narrow, "--no-report")
    os.link(next((tmp_path / "data/openmoji/testA").glob("*.png")), tmp_path / run[2])
    done(*run)
    assert Image.open(tmp_path / run[-1]).size == Image.open(tmp_path / run[2]).size
