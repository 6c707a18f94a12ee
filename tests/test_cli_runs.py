"""The commands as people use them, end to end on a tiny run of real pictures."""

import json
import re
import time

import numpy as np
import pytest
from cli_runs import TINY, crop, drawn, metrics_of, recipe_of, snapshot_at, train
from command_line import done, pixturn
from PIL import Image

import pipelines
from pipelines.runs import RunFolder

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture(scope="module")
def paired_run(pairs, runs):
    return train("pix2pix", pairs, "colours", runs)


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
    "value": (["train", "pix2pix", "--augmentation.load-px", "9"], 2, "load-px is 9: choose at least 256 pixels"),
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
    assert any(line[:2] == ["pixturn", "export"] for line in lines)
    picture = next(line for line in lines if "picture.png" in line)
    done(*picture[1:])
    tuned = [{"DIR": pairs, "NEW_NAME": "tuned"}.get(word, word) for word in next(x for x in lines if "train" in x)]
    outcome = done(*tuned[1:], "--runs", runs, "--images", "4", "--workers", "0", "--threads", "1", "--no-report")
    assert "4 images" in outcome.err


def test_a_finished_run_resumes_to_its_end_at_once(paired_run, runs):
    before = paired_run.metrics.read_bytes()
    newest = snapshot_at(paired_run, 32) / "manifest.json"
    written = newest.stat().st_mtime_ns
    words = done("train", "--resume", "colours", "--runs", runs, "--no-report").err
    assert "colours has finished (32 images). To go on from its weights: --start-from" in words
    assert "epochs" not in words
    assert paired_run.metrics.read_bytes() == before
    assert newest.stat().st_mtime_ns == written


def test_other_widths_to_start_from_are_told_by_the_first_difference(paired_run, pairs, runs):
    wide = ("--config.generator.width", "8", "--start-from", "colours", "--images", "4")
    outcome = pixturn("train", "pix2pix", "--data", pairs, "--name", "wide", "--runs", runs, *TINY, *wide)
    assert outcome.code == 2
    told = r"networks are not those of this recipe \(generator\S+: 4 x 3 x 4 x 4 there, 8 x 3 x 4 x 4 here; \d+ more\)"
    assert re.search(told, outcome.err), outcome.err
    assert len(outcome.err.strip().splitlines()[-1]) < 400
    assert "Missing key" not in outcome.err
    assert "size mismatch" not in outcome.err


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


def test_a_direction_that_a_method_lacks(paired_run, runs, tmp_path):
    drawn(crop(0), tmp_path / "picture.png")
    options = ("-o", tmp_path / "out.png", "--direction", "BtoA", "--runs", runs)
    outcome = pixturn("run", "colours", tmp_path / "picture.png", *options)
    assert outcome.code == 2
    assert "AtoB" in outcome.err


@pytest.mark.slow
def test_a_budget_in_minutes_becomes_images(pairs, runs):
    started = time.monotonic()
    run = train("pix2pix", pairs, "minutes", runs, "--no-report", length=("--minutes", "0.05"))
    assert time.monotonic() - started < 60
    recipe = recipe_of(run)
    assert recipe.length.minutes is None
    assert recipe.length.images is not None
    assert recipe.length.images > 0
