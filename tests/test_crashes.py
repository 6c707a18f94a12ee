"""A run that is killed, stopped or starved at any moment goes on to the very bits of one that never was.

The final checkpoints are compared whole: the manifest holds the SHA-256 of networks, averages, both moments of every
Adam, random states, replay pools, progress, cards, standing and recipe.
"""

import hashlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

import psutil
import pytest
from crash_worker import tiny
from lives import IMAGES, PATIENCE_SEC, Run
from torch import nn

from pipelines.training import Setting, resume, train
from pipelines.training.session import build_method
from translate.errors import ConfigurationError
from translate.storage.atomic import TEMPORARY

pytest_plugins = ["training_fixtures"]

EVENTS_A_SAVE = 22


@pytest.fixture(scope="module")
def straight(server, folder, tmp_path_factory):
    """What a run comes to that nobody disturbs, by method."""
    results = {}

    def result(method):
        if method not in results:
            run = Run(server=server, data=folder, runs=tmp_path_factory.mktemp("straight"), method=method)
            assert run.live() == 0, run.log()
            results[method] = run.result()
        return results[method]

    return result


def kill_at_random(run, draw):
    """kill -9 while the life still starts, or after some steps and a little."""
    (pid,) = run.start()
    if draw.random() < 0.7:
        run.wait_for_steps(pid, draw.randint(1, 8))
    time.sleep(draw.uniform(0, 0.1))
    os.kill(pid, signal.SIGKILL)
    return run.server.wait()[0]


def kill_in_a_save(run, draw):
    """kill -9 at a moment of the first save or of the second."""
    return run.live(die_at_event=draw.randrange(1, 2 * EVENTS_A_SAVE))


def require_survives(run, kills, expected, *, seed=0):
    """Each life but the last is killed; the last one ends with the bits of the run that was left alone."""
    draw = random.Random(seed)
    for number, kill in enumerate(kills):
        code = kill(run, draw)
        assert code == -signal.SIGKILL, f"kill {number}: the life ended with {code}: {run.log()[-2000:]}"
    assert run.live() == 0, f"lost after {len(kills)} kills: {run.log()[-2000:]}"
    assert run.result() == expected
    assert run.steps() == run.images + 2  # one line a step, none twice, and two validations
    assert [path for path in run.path.rglob("*") if path.name.startswith(TEMPORARY)] == []


def test_the_runs_of_these_tests_have_every_kind_of_state():
    """Else equal hashes would say less than they seem to: noise, pools and averages must be there to be lost."""
    noisy, pooled = tiny("pix2pix", images=2), tiny("cyclegan", images=2)
    assert any(isinstance(part, nn.Dropout) and part.p > 0 for part in build_method(noisy).modules())
    assert any(key.startswith("pool") for key in build_method(pooled).state())
    assert noisy.average_half_life_images > 0


@pytest.mark.timeout(120)
def test_three_kills_then_the_bits_of_the_undisturbed_run(make_run, straight):
    kills = [kill_in_a_save, kill_at_random, kill_in_a_save]
    require_survives(make_run("pix2pix"), kills, straight("pix2pix"), seed=1)


@pytest.mark.timeout(120)
def test_control_a_naive_saver_loses_the_run(make_run, straight):
    """It cannot load, or cannot make sense of, what a kill in mid-save left."""
    with pytest.raises(AssertionError, match=r"ended with [14]:|lost after"):
        require_survives(make_run("pix2pix", saver="naive"), [kill_in_a_save] * 3, straight("pix2pix"), seed=1)


TWENTY = [
    ("pix2pix", 0, [kill_at_random, kill_in_a_save, kill_at_random, kill_in_a_save, kill_in_a_save]),
    ("pix2pix", 2, [kill_in_a_save, kill_at_random, kill_in_a_save, kill_at_random, kill_at_random]),
    ("cyclegan", 0, [kill_at_random, kill_in_a_save, kill_at_random, kill_in_a_save, kill_in_a_save]),
    ("cyclegan", 2, [kill_in_a_save, kill_at_random, kill_in_a_save, kill_at_random, kill_at_random]),
]


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("method", "workers", "kills"), TWENTY, ids=lambda value: str(value)[:9])
def test_twenty_kills_half_of_them_in_mid_save(make_run, straight, method, workers, kills):
    require_survives(make_run(method, workers=workers), kills, straight(method), seed=workers)


def test_the_straight_run_is_the_same_twice_with_and_without_workers(make_run, straight):
    """Else equal hashes after a crash would be luck, or unequal ones no one's fault."""
    run = make_run("cyclegan", workers=2)
    assert run.live() == 0
    assert run.result() == straight("cyclegan")


def test_a_damaged_newest_checkpoint_costs_steps_and_changes_no_bit(make_run, straight):
    run = make_run("pix2pix")
    (pid,) = run.start()
    run.wait_for_steps(pid, 12)
    os.kill(pid, signal.SIGKILL)
    assert run.server.wait() == [-signal.SIGKILL]
    newest = run.shelf.path(run.shelf.all()[-1]) / "networks.safetensors"
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    assert run.live() == 0
    assert str(newest.parent) in run.log().replace("\n", "")
    assert run.result() == straight("pix2pix")


def orphans(session):
    """Processes that still live in a session."""
    return [process for process in psutil.process_iter() if in_session(process, session)]


def in_session(process, session):
    try:
        return os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def require_no_orphans(session, *, within_sec):
    deadline = time.monotonic() + within_sec
    while orphans(session) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert orphans(session) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to the run", "to all its processes"])
def test_a_signal_saves_stops_and_leaves_no_process(make_run, straight, send, number):
    """Service managers send the signal to every process of a job: the workers must not fall before the run saved."""
    run = make_run("pix2pix", workers=2)
    (pid,) = run.start()
    run.wait_for_steps(pid, 7)
    send(pid, number)
    assert run.server.wait() == [128 + number], run.log()
    assert f"Stopped and saved at {run.shelf.all()[-1]} of {IMAGES} images" in run.log().replace("\n", " ")
    assert run.shelf.all()[-1] >= 7
    require_no_orphans(pid, within_sec=5)
    assert run.live() == 0
    assert run.result() == straight("pix2pix")


def test_a_worker_that_is_killed_ends_the_run_with_a_checkpoint_of_that_moment(make_run, straight):
    """Where a worker is lost (no memory, a full /dev/shm) the run says so, saves, and leaves no process behind."""
    run = make_run("pix2pix", workers=2)
    (pid,) = run.start()
    run.wait_for_steps(pid, 7)
    psutil.Process(pid).children()[0].kill()
    assert run.server.wait() == [5], run.log()
    assert "A data worker died" in run.log()
    assert run.shelf.all()[-1] == run.steps()  # so far one line a step: no step is lost
    require_no_orphans(pid, within_sec=5)
    assert run.live() == 0
    assert run.result() == straight("pix2pix")


@pytest.mark.slow
def test_workers_end_by_themselves_when_the_run_is_killed(make_run):
    run = make_run("pix2pix", workers=2)
    (pid,) = run.start()
    run.wait_for_steps(pid, 3)
    os.kill(pid, signal.SIGKILL)
    run.server.wait()
    require_no_orphans(pid, within_sec=15)


def test_a_second_training_of_one_name_is_refused(make_run, straight):
    """While the first one trains (here it is held in mid-step) and when it is done."""
    first = make_run("pix2pix")
    (pid,) = first.start()
    first.wait_for_steps(pid, 2)
    os.kill(pid, signal.SIGSTOP)
    setting = Setting(device="cpu", workers=0, runs=first.runs, check=False, report=False)
    recipe = tiny("pix2pix", images=IMAGES)
    try:
        before = first.shelf.all()
        with pytest.raises(ConfigurationError, match="is being trained by another process"):
            train(recipe, first.data, name="run", setting=setting)
        with pytest.raises(ConfigurationError, match="is being trained by another process"):
            resume("run", setting)
        assert first.shelf.all() == before
    finally:
        os.kill(pid, signal.SIGCONT)
    assert first.server.wait() == [0]
    with pytest.raises(ConfigurationError, match="--resume run"):
        train(recipe, first.data, name="run", setting=setting)
    assert first.result() == straight("pix2pix")


# The real command

OPTIONS = """
    --images 100 --threads 1 --save-every-images 5 --average-half-life-images 10
    --config.generator.kind resnet --config.generator.width 4 --config.generator.blocks 1 --config.discriminator.width 4
    --config.discriminator.layers 2 --augmentation.load-px 36 --augmentation.crop-px 32
    --validation.every-images 50 --validation.most 4
"""
SETTING = "--device cpu --workers 0 --no-check --no-report"


def pixturn(*arguments, runs, limit_bytes=None):
    """Start the command as a shell does; `limit_bytes` is `ulimit -f`."""

    def limit():
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [sys.executable, "-m", "pipelines.cli", "train", *arguments, "--runs", str(runs), *SETTING.split()]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=limit)


def stopped(process, run, number):
    """The exit code after a signal in mid-training."""
    run.wait_for_steps(process.pid, 7)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SEC)
    return process.returncode


def start(run):
    options = ["pix2pix", "--data", str(run.data), "--name", "run", *OPTIONS.split()]
    return pixturn(*options, runs=run.runs)


@pytest.mark.timeout(180)
def test_the_command_stops_with_143_and_then_a_full_disk_ends_it_with_5(make_run, straight):
    run = make_run("pix2pix")
    assert stopped(start(run), run, signal.SIGTERM) == 143
    before, newest = hash_of(run.path / "snapshots"), run.shelf.all()[-1]
    starved = pixturn("--resume", "run", runs=run.runs, limit_bytes=30_000)
    _, message = starved.communicate(timeout=PATIENCE_SEC)
    assert starved.returncode == 5, message
    assert "Traceback" not in message
    told = message.replace("\n", " ")
    assert re.search(rf"Could not write {re.escape(str(run.path))}\S+ \(File too large\): it needs \d\S+ MB", told)
    assert re.search(r"and [\d.]+ MB are free", told)
    assert run.shelf.all()[-1] == newest
    assert hash_of(run.path / "snapshots") == before
    assert run.live() == 0, run.log()
    assert run.result() == straight("pix2pix")


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_the_command_stops_with_130_and_goes_on_with_resume_alone(make_run, straight):
    run = make_run("pix2pix")
    assert stopped(start(run), run, signal.SIGINT) == 130
    assert stopped(pixturn("--resume", "run", runs=run.runs), run, signal.SIGINT) == 130
    last = pixturn("--resume", "run", runs=run.runs)
    last.communicate(timeout=PATIENCE_SEC)
    assert last.returncode == 0
    assert run.result() == straight("pix2pix")


def hash_of(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()
