"""A run's course: its name and lock, its beginning and its end, processes and devices."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from short_runs import short
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import CPU

import pipelines
import pipelines.training.run as run_module
from pipelines import recipes
from pipelines.runs import RunFolder
from pipelines.training.claim import folder_for
from pipelines.training.observers import TensorBoard, closing
from pipelines.training.resolve import resolve
from pipelines.training.session import open_session
from translate.engine import Engine
from translate.errors import ConfigurationError, StorageError
from translate.processes import Processes
from translate.recipe import Recipe
from translate.storage.shelf import Shelf

pytest_plugins = ["training_fixtures"]
pytestmark = pytest.mark.usefixtures("threads_put_back")


# Names, locks, beginnings


def test_a_run_without_a_name_gets_its_methods_and_the_first_free_number(folder, setting):
    (setting.runs / "pix2pix-1").mkdir(parents=True)
    names = [pipelines.train(short(1), folder, setting=setting).name for _ in range(2)]
    assert names == ["pix2pix-2", "pix2pix-3"]


def test_runs_without_a_name_that_begin_at_one_moment_get_different_folders(tmp_path):
    """None of them has been locked, nor has a checkpoint, when the next one looks for a free number."""
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: folder_for("pix2pix", None, tmp_path / "runs", Processes()), range(24)))
    assert {folder.name for folder in folders} == {f"pix2pix-{number}" for number in range(1, 25)}


def test_a_place_where_no_folder_can_be_made_is_told_and_not_searched_for_ever(folder, setting, tmp_path):
    (tmp_path / "runs").symlink_to("nowhere/at/all")
    (tmp_path / "file").write_text("")
    for runs in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            pipelines.train(short(1), folder, setting=replace(setting, runs=runs))
    assert folder_for("pix2pix", None, tmp_path / "runs", Processes()).name == "pix2pix-1"


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


# Processes and devices


def test_the_threads_of_one_machine_are_dealt_out(monkeypatch):
    monkeypatch.setattr("pipelines.training.resolve.usable_cores", lambda: 16)  # of 64, say: the container's
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
