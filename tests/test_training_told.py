"""Which weights are the best, and what is told while a run trains."""

import io
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from short_runs import short
from tiny import CPU

import pipelines
from pipelines.methods import method_class
from pipelines.scoring.judge import Score
from pipelines.training.alerts import Alerts
from pipelines.training.keeping import Standing
from pipelines.training.resolve import resolve
from pipelines.training.translation.validation import Validator
from translate.data.domains import TwoDomains
from translate.metrics.health_discriminator import DiscriminatorScores, check_discriminator
from translate.recipe import Validation
from translate.storage.shelf import Shelf

pytest_plugins = ["training_fixtures"]
pytestmark = pytest.mark.usefixtures("threads_put_back")


# The best weights


def scores(**values):
    return {name: Score(value=value, standard_error=None, pictures=4) for name, value in values.items()}


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_not_finite_is_never_the_best(bad):
    standing = Standing(metric="l1").after(1, scores(l1=bad))
    assert standing.images is None
    standing = standing.after(2, scores(l1=3.0)).after(3, scores(l1=bad)).after(4, scores(l1=2.0))
    assert (standing.images, standing.value) == (4, 2.0)


@pytest.mark.parametrize(
    ("own", "paired", "expected"),
    [("ssim", True, "ssim"), ("frechet", False, "frechet"), ("", True, "perceptual"), ("", False, "kid")],
)
def test_an_empty_metric_is_the_methods_own_choice_or_the_usual_one(own, paired, expected, monkeypatch):
    recipe = replace(short(), domains=TwoDomains(paired=paired), validation=Validation(best=own))
    monkeypatch.setattr(method_class("pix2pix"), "recipe", staticmethod(lambda: recipe))
    given = replace(recipe, validation=Validation())
    assert resolve(given, pictures=4, device=CPU).validation.best == expected
    given = replace(recipe, validation=Validation(best="l1"))
    assert resolve(given, pictures=4, device=CPU).validation.best == "l1"


def test_the_last_weights_are_best_where_that_is_asked_for():
    standing = Standing(metric="last").after(1, scores(l1=1.0)).after(2, scores(l1=5.0))
    assert (standing.images, standing.value) == (None, None)
    assert resolve(short(validation=Validation(best="last")), pictures=4, device=CPU).validation.best == "last"


def test_where_the_last_weights_are_best_a_run_that_was_stopped_gives_its_newest(folder, setting):
    recipe = short(5, validation=Validation(best="last", every_images=3, most=4), save_every_images=1)
    run = pipelines.train(recipe, folder, name="last", setting=setting)
    shutil.rmtree(Shelf(run.snapshots).path(5))  # as if it had been stopped at 4, after a validation at 3
    assert Shelf(run.snapshots).all()[-2:] == [3, 4]
    assert pipelines.load(run.path, device="cpu").card.images_seen == 4


def test_a_metric_that_cannot_be_measured_is_told_once_and_the_newest_weights_are_used(folder, setting, capsys):
    recipe = short(validation=Validation(best="kid", every_images=2, most=4))
    run = pipelines.train(recipe, folder, name="odd", setting=setting)
    words = " ".join(capsys.readouterr().err.split())
    assert words.count("kid cannot be measured") == 1
    assert "measured: perceptual, l1, psnr, ssim" in words
    assert "the newest are used" in words
    assert pipelines.load(run.path, device="cpu").card.images_seen == 4


# What is told while it trains


def told(*validations) -> str:
    console = Console(file=io.StringIO(), width=1000)
    alerts = Alerts(console)
    for best, values, parts in validations:
        alerts.after_validation(best, values, parts)
    return console.file.getvalue()


def of_discriminator(name, lead):
    noise = np.random.default_rng(0).normal(size=200)
    return DiscriminatorScores(discriminator=name, held_out_real=noise + lead, fake=noise[::-1].copy())


def test_a_discriminator_that_always_wins_is_told_once_with_the_remedy():
    winning = ("l1", {"l1": 1.0}, check_discriminator(of_discriminator("discriminator", 10.0)))
    words = told(winning, winning)
    assert words.count("\n") == 1
    assert "--optimisers.discriminator.learning-rate" in words
    assert told(("l1", {"l1": 1.0}, check_discriminator(of_discriminator("discriminator", 0.5)))) == ""


def test_a_figure_that_is_not_finite_is_told_once():
    bad = ("l1", {"l1": 1.0, "psnr": float("nan")}, [])
    words = told(bad, bad)
    assert words.count("psnr is nan") == 1
    assert "--precision fp32" in words


def test_a_run_tells_what_its_discriminators_do(folder, setting, monkeypatch, capsys):
    winning = [of_discriminator("discriminator", 10.0)]
    monkeypatch.setattr(Validator, "discriminator_scores", lambda _: winning)
    run = pipelines.train(short(), folder, name="won", setting=setting)
    assert " ".join(capsys.readouterr().err.split()).count("its generator gets little to learn from") == 1
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    assert [line["validation/discriminator_accuracy"] for line in lines if "validation/l1" in line] == [1.0, 1.0]
