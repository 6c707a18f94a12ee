"""A run's course: its budget, its best weights, what it tells, and what it refuses; on tiny runs of real pictures."""

import io
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from crash_worker import tiny
from lives import write_pairs
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import pipelines
import pipelines.training.budget as budget
import pipelines.training.run as run_module
from pipelines import recipes
from pipelines.cli import main
from pipelines.methods import method_class
from pipelines.runs import RunFolder, summaries
from pipelines.scoring.judge import Score
from pipelines.training import Setting
from pipelines.training.alerts import Alerts
from pipelines.training.budget import fit_to_budget, images_per_sec, plan_within
from pipelines.training.keeping import Standing
from pipelines.training.memory import memory_told
from pipelines.training.observers import TensorBoard, closing
from pipelines.training.resolve import resolve
from pipelines.training.session import open_session, require_optimisers
from pipelines.training.translation.validation import Validator
from translate.data.domains import TwoDomains
from translate.engine import Engine
from translate.errors import ConfigurationError, ModelError, StorageError
from translate.metrics.health_discriminator import DiscriminatorScores, check_discriminator
from translate.optimisers import Adam
from translate.processes import Processes
from translate.recipe import Length, Recipe, Validation, from_json, to_json
from translate.schedule import Schedule
from translate.storage.shelf import Shelf

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def setting(tmp_path):
    return Setting(device="cpu", workers=0, runs=tmp_path / "runs", check=False, report=False)


def short(images=4, **changes) -> Recipe[Any]:
    return replace(tiny("pix2pix", images=images), **changes)


# A budget in minutes


@dataclass(frozen=True, kw_only=True)
class Slower(Processes):
    """Another process wants more steps than this one: any of them is enough for all."""

    wants: Iterator[bool]
    asked: list[bool]

    def any_process(self, flag):
        self.asked.append(flag)
        return flag or next(self.wants)


class Counted:
    """An engine that counts, and a stream that tells whether it was closed."""

    def __init__(self, processes: Processes, *, fails_at: int = 10**9) -> None:
        self.engine = self
        self.batches = self
        self.device, self.processes, self.images, self.closed, self._fails_at = CPU, processes, 0, False, fails_at

    def stream(self):
        return self

    def play(self, stream):
        self.images += 1
        if self.images >= self._fails_at:
            raise RuntimeError("out of luck")

    def close(self):
        self.closed = True


def test_the_measurement_goes_on_until_no_process_wants_another_step():
    """By its own clock alone each rank would leave the loop at another step, and the rest wait for ever."""
    session = Counted(Slower(wants=iter([True] * 4 + [False]), asked=[]))
    images_per_sec(session, warm_up=2, least=3, at_least_sec=0.0)
    assert session.images == 2 + 3 + 4
    assert session.engine.processes.asked == [True] * 3 + [False] * 5


def test_the_measurement_closes_its_stream_when_it_fails():
    session = Counted(Processes(), fails_at=2)
    with pytest.raises(RuntimeError, match="out of luck"):
        images_per_sec(session, warm_up=3, least=3, at_least_sec=0.0)
    assert session.closed


@pytest.mark.parametrize(
    ("left_sec", "validation_sec", "every_images", "images", "validations"),
    [
        (100.0, 0.1, 0, 980, 20),  # twenty take 2 seconds
        (100.0, 2.0, 0, 800, 10),  # as many as a fifth takes
        (100.0, 10.0, 0, 800, 2),
        (100.0, 20.0, 0, 600, 2),  # never fewer than two
        (100.0, 90.0, 0, 500, 2),  # and half of the time trains
        (100.0, 5.0, 50, 500, 10),  # 10 seconds for 50 images and their validation
        (100.0, 5.0, 1, 19, 19),
        (-5.0, 5.0, 0, 1, 2),
        (-5.0, 5.0, 50, 1, 1),
    ],
)
def test_how_a_budget_is_spent(left_sec, validation_sec, every_images, images, validations):
    plan = plan_within(left_sec, 10.0, validation_sec, every_images)
    assert (plan.images, plan.validations) == (images, validations)


@pytest.mark.parametrize(("validation_sec", "warned"), [(1.0, False), (9.0, True)])
def test_slow_validations_are_told_with_the_option_and_run_as_planned(validation_sec, warned, monkeypatch, caplog):
    monkeypatch.setattr(budget, "open_session", lambda *_: None)
    monkeypatch.setattr(budget, "_seconds_of_validation", lambda *_: validation_sec)
    monkeypatch.setattr(budget, "images_per_sec", lambda *_, **__: 100.0)
    recipe = short(length=Length(minutes=1.0), validation=Validation(best="l1"))
    fitted = fit_to_budget(recipe, None, CPU, Processes(), 0)
    assert ("--validation.most" in caplog.text) == warned
    images, every = fitted.length.images, fitted.validation.every_images
    validations = 2 if warned else 11
    assert images == pytest.approx(100 * (57 - validations * validation_sec), rel=0.01)
    assert -(-images // every) == validations


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
    assert (standing.images, standing.value) == (2, None)
    assert resolve(short(validation=Validation(best="last")), pictures=4, device=CPU).validation.best == "last"


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


# Names, locks, beginnings


def test_a_run_without_a_name_gets_its_methods_and_the_first_free_number(folder, setting):
    (setting.runs / "pix2pix-1").mkdir(parents=True)
    names = [pipelines.train(short(1), folder, setting=setting).name for _ in range(2)]
    assert names == ["pix2pix-2", "pix2pix-3"]


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_a_name_that_is_none_is_refused(name, folder, setting):
    with pytest.raises(ConfigurationError, match="--name"):
        pipelines.train(short(), folder, name=name, setting=setting)


def test_a_run_that_failed_in_its_first_step_is_begun_anew(folder, setting, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Engine, "play", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipelines.train(short(seed=1), folder, name="again", setting=setting)
    assert Shelf(setting.runs / "again" / "snapshots").all() == [0]
    run = pipelines.train(short(seed=2), folder, name="again", setting=setting)
    assert Shelf(run.snapshots).read(4).document("recipe")["seed"] == 2
    assert Shelf(run.snapshots).read(0).document("recipe")["seed"] == 2
    with pytest.raises(ConfigurationError, match="--resume again"):
        pipelines.train(short(), folder, name="again", setting=setting)


def test_a_resume_reads_the_checkpoint_under_the_lock(folder, setting, monkeypatch):
    """Another process may save its last checkpoint, and let go, between a look at the folder and the lock."""
    run = pipelines.train(short(), folder, name="two", setting=setting)
    newest, aside = Shelf(run.snapshots).path(4), run.path / "aside"
    newest.rename(aside)
    locked = RunFolder.locked

    @contextmanager
    def late(self):
        aside.rename(newest)
        with locked(self):
            yield

    monkeypatch.setattr(RunFolder, "locked", late)
    monkeypatch.setattr(Engine, "play", lambda *_: pytest.fail("what was trained already is trained again"))
    pipelines.resume("two", setting)


# Ends


def test_a_signal_in_the_last_step_comes_too_late_to_stop_the_run(folder, setting, monkeypatch):
    play = Engine.play

    def signalled(self, draw):
        figures = play(self, draw)
        if self.images == 4:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
        return figures

    monkeypatch.setattr(Engine, "play", signalled)
    run = pipelines.train(short(), folder, name="late", setting=replace(setting, report=True))
    assert run.report.exists()


class Closed:
    def __init__(self, closed, *, fails=False):
        self._closed, self._fails = closed, fails

    def close(self):
        self._closed.append(self)
        if self._fails:
            raise StorageError("no room at the end")


@pytest.mark.parametrize("body", [None, ZeroDivisionError])
def test_every_observer_is_closed_and_the_first_error_is_told(body):
    closed = []

    def run():
        with ExitStack() as stack:
            for fails in (False, True, False, True):
                stack.enter_context(closing(Closed(closed, fails=fails)))
            if body:
                raise body

    with pytest.raises(body or StorageError):
        run()
    assert len(closed) == 4


@pytest.mark.parametrize("body", [None, ZeroDivisionError])
def test_the_observers_of_a_run_are_closed_so(body, folder, setting, monkeypatch):
    closed = []

    def close(self):
        closed.append(type(self).__name__)
        raise StorageError("no room at the end")

    def play(*_):
        raise body

    for observer in ("MetricsFile", "TensorBoard", "Sheets", "ProgressBar"):
        monkeypatch.setattr(getattr(run_module, observer), "close", close)
    if body:
        monkeypatch.setattr(Engine, "play", play)
    with pytest.raises(body or StorageError):
        pipelines.train(short(1), folder, name="closed", setting=setting)
    assert sorted(closed) == ["MetricsFile", "ProgressBar", "Sheets", "TensorBoard"]


def test_tensorboard_keeps_the_point_at_which_a_run_resumes(tmp_path):
    for resumed_at, steps in ((0, range(1, 6)), (3, range(4, 6))):
        board = TensorBoard(tmp_path, resumed_at=resumed_at)
        for step in steps:
            board.figures(step, {"loss": float(step + 10 * resumed_at)})
        board.close()
        time.sleep(1.1)  # event files are named by the second
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [
        (1, 1.0),
        (2, 2.0),
        (3, 3.0),
        (4, 34.0),
        (5, 35.0),
    ]


# Errors in words


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Adam(learning_rate=-1.0), "--optimisers.NETWORK.learning-rate is -1"),
        (lambda: Adam(learning_rate=float("nan")), "learning-rate is nan"),
        (lambda: Adam(beta1=1.0), "beta1 is 1.0"),
        (lambda: Adam(beta2=-0.1), "beta2 is -0.1"),
        (lambda: Adam(epsilon=0.0), "epsilon is 0.0"),
        (lambda: Adam(weight_decay=-1.0), "weight-decay is -1"),
        (lambda: Schedule(hold=-0.1), "--schedule.hold is -0.1"),
        (lambda: Schedule(hold=1.1), "--schedule.hold is 1.1"),
        (lambda: Length(minutes=float("nan")), "one length above 0"),
        (lambda: Validation(every_images=-1), "--validation.every-images is -1"),
        (lambda: Validation(fraction=1.0), "--validation.fraction is 1.0"),
        (lambda: Validation(most=0), "--validation.most is 0"),
        (lambda: short(batch_size=0), "--batch-size is 0"),
        (lambda: short(accumulate=0), "--accumulate is 0"),
        (lambda: short(clip_norm=-1.0), "--clip-norm is -1"),
        (lambda: short(average_half_life_images=-1.0), "--average-half-life-images is -1"),
        (lambda: short(save_every_images=-1), "--save-every-images is -1"),
        (lambda: short(threads=-1), "--threads is -1"),
        (lambda: short(seed=2**64), "--seed is 18446744073709551616"),
        (lambda: method_class("x"), "there are acgan, autoencoder"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_option(make, words):
    with pytest.raises(ConfigurationError) as refused:
        make()
    assert words in str(refused.value)


def test_a_recipe_file_with_a_number_out_of_range_says_so():
    text = to_json(short()).replace('"hold": 0.5', '"hold": 5.0')
    with pytest.raises(ConfigurationError, match=r"--schedule.hold is 5.0: choose 0 to 1"):
        from_json(text, lambda name: method_class(name).Config)


@pytest.mark.parametrize(
    "problem",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_memory_that_runs_out_is_told_with_what_to_lower(problem, folder, setting, monkeypatch):
    def play(*_):
        raise problem

    monkeypatch.setattr(Engine, "play", play)
    with pytest.raises(StorageError, match=r"--batch-size .*--accumulate.*--augmentation.crop-px") as told_as:
        pipelines.train(short(), folder, name="large", setting=setting)
    assert told_as.value.exit_code == 5


def test_a_real_allocation_that_fails_is_told():
    with pytest.raises(StorageError), memory_told():
        torch.empty(2**60)


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="shapes differ"), memory_told():
        raise RuntimeError("shapes differ")


def test_runs_in_a_folder_that_cannot_be_written(folder, setting, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="--runs"):
        pipelines.train(short(), folder, name="x", setting=replace(setting, runs=tmp_path / "file"))


@pytest.mark.parametrize("document", [[], {}, 3, {"metric": 1, "value": "high"}, "x"])
@pytest.mark.parametrize("which", ["recipe", "progress", "standing"])
def test_a_foreign_file_does_not_keep_the_other_runs_from_the_list(which, document, folder, setting):
    if which == "standing" and document == {}:
        pytest.skip("a standing without a value is one of a run that was not scored")
    pipelines.train(short(1), folder, name="good", setting=setting)
    snapshot = setting.runs / "foreign" / "snapshots" / "images-000000000001"
    snapshot.mkdir(parents=True)
    for name in ("recipe", "progress", "standing"):
        good = (Shelf(setting.runs / "good" / "snapshots").path(1) / f"{name}.json").read_text()
        (snapshot / f"{name}.json").write_text(json.dumps(document) if name == which else good)
    assert [summary.name for summary in summaries(setting.runs)] == ["good"]
    assert main(["list", "--runs", str(setting.runs)]) == 0


def test_messages_say_what_to_do(tmp_path):
    with pytest.raises(ModelError, match=r"holds no whole checkpoint .*copy it again .*--name"):
        Shelf(tmp_path).newest()
    recipe = short(optimisers={"generators": Adam()})
    with pytest.raises(ConfigurationError, match=r"^--optimisers: .*generators; give one for each network"):
        require_optimisers(recipe, SimpleNamespace(networks=lambda: {"generator": None}))


# Processes and devices


def test_the_threads_of_one_machine_are_dealt_out(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    recipe = short(threads=0)
    counts = []
    for processes in ("1", "4", "32"):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
        counts.append(resolve(recipe, pictures=4, device=CPU).threads)
    assert counts == [16, 4, 1]


def test_a_gpu_is_made_the_process_own(monkeypatch):
    used = []
    monkeypatch.setattr(torch.cuda, "set_device", used.append)
    monkeypatch.setattr("pipelines.training.session.Engine", lambda *_: None)
    for device in (torch.device("cuda", 3), CPU):
        open_session(short(), None, device, Processes(), 0)
    assert used == [torch.device("cuda", 3)]
    torch.backends.cudnn.benchmark = False


# Recipes


def test_a_function_that_returns_a_recipe_is_a_named_recipe(monkeypatch):
    def pix2pix_tiny() -> Recipe[Any]:
        """Mine."""
        return short()

    def helper() -> int:
        return 3

    before = set(recipes.named_recipes())
    monkeypatch.setattr(recipes.translating, "pix2pix_tiny", pix2pix_tiny, raising=False)
    monkeypatch.setattr(recipes.translating, "_hidden", pix2pix_tiny, raising=False)
    monkeypatch.setattr(recipes.generating, "helper", helper, raising=False)
    assert set(recipes.named_recipes()) - before == {"pix2pix-tiny"}
    assert {"pix2pix", "cyclegan", "pix2pix-modern", "pix2pix-small", "cyclegan-modern", "cyclegan-small"} <= before
    assert recipes.recipe_named("pix2pix-tiny") == short()
