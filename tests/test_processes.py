"""Several processes train as one: the same gradients, exact resumes, and one end for all of them."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
import torch
from lives import PATIENCE_SEC, free_port
from test_crashes import OPTIONS, SETTING

pytest_plugins = ["training_fixtures"]

STEPS = 20


def lived(run):
    assert run.live() == 0, run.log()
    return run.last()


def largest_difference(one, other, group):
    assert one.tensors[group].keys() == other.tensors[group].keys()
    pairs = {key: (tensor, other.tensors[group][key]) for key, tensor in one.tensors[group].items()}
    return max((a - b).abs().max().item() for key, (a, b) in pairs.items() if key.endswith("weight"))


def test_two_processes_have_the_gradients_of_one_with_twice_the_batch(make_run):
    """After one step from zero, Adam's first moment is (1 - beta1) times the gradient, exactly."""
    one = lived(make_run("samples", "one", images=2, batch_size=2))
    two = lived(make_run("samples", "two", images=2, world=2))
    moments = {key: value for key, value in one.tensors["optimisers"].items() if key.endswith("exp_avg")}
    assert moments
    for key, value in moments.items():
        torch.testing.assert_close(two.tensors["optimisers"][key], value, rtol=1e-5, atol=1e-5)
    assert max(value.abs().max() for value in moments.values()) > 1


def test_two_processes_train_to_the_weights_of_one_with_twice_the_batch(make_run):
    """The same pictures in the same order, averaged weights too; the control sees the pictures one by one.

    Biases are left out: before an instance norm they have no gradient but rounding noise, and Adam makes steps of it.
    """
    one = lived(make_run("samples", "one", images=2 * STEPS, batch_size=2))
    two = lived(make_run("samples", "two", images=2 * STEPS, world=2))
    other = lived(make_run("samples", "other", images=2 * STEPS, batch_size=1))
    for group in ("networks", "averaged"):
        assert largest_difference(one, two, group) < 1e-6
        assert largest_difference(one, other, group) > 1e-3
    assert one.documents["progress"]["images"] == two.documents["progress"]["images"] == 2 * STEPS


def test_stopped_and_resumed_on_two_processes_is_bit_identical_to_straight_on_two(make_run):
    """Each process has its own random state and its own pools: 2 processes with pools of n are not 1 with a pool of n.

    So for CycleGAN, unlike above, two processes are a training of their own, not the same one faster: an earlier fake
    comes from the process's own past, and both pools are in the checkpoint.
    """
    straight, stopped = make_run("cyclegan", "straight", world=2), make_run("cyclegan", "stopped", world=2)
    last = lived(straight)
    pools = [last.tensors[f"process-{rank}"]["own.pool_a.pictures"] for rank in (0, 1)]
    assert not torch.equal(*pools)
    pids = stopped.start()
    stopped.wait_for_steps(pids[0], 7)
    os.kill(pids[1], signal.SIGTERM)  # to one of them, and not to the first
    assert stopped.server.wait() == [143, 143], stopped.log()
    at = stopped.shelf.all()[-1]
    assert f"Stopped and saved at {at} of" in stopped.log().replace("\n", " ")
    assert stopped.live() == 0, stopped.log()
    assert stopped.result() == straight.result()


@pytest.mark.parametrize(("world", "other"), [(2, 1), (1, 2)])
def test_another_number_of_processes_is_refused(make_run, world, other):
    lived(make_run("pix2pix", "run", world=world, images=4))
    resumed = make_run("pix2pix", "run", world=other, images=4)
    assert resumed.live() == 4
    assert f"started on {world} processes and is resumed on {other}" in resumed.log().replace("\n", " ")


AGREEING = """
import sys
import torch.distributed as dist
from translate.errors import DatasetError, PixturnError
from translate.processes import joined_processes

def refuse(processes):
    with processes.agreeing():
        pass
    with processes.agreeing():
        if processes.is_first:
            raise DatasetError("bad pictures")
    sys.exit("went on")

try:
    with joined_processes() as processes:
        refuse(processes)
except PixturnError as problem:
    assert not dist.is_initialized()
    print(problem, file=sys.stderr)
    sys.exit(problem.exit_code)
"""


@pytest.mark.timeout(60)
def test_what_one_process_refuses_ends_the_others_alike_and_the_group():
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", AGREEING], stderr=subprocess.PIPE, text=True, env=os.environ | place | {"RANK": rank}
        )
        for rank in ("0", "1")
    ]
    try:
        words = [process.communicate(timeout=50)[1] for process in both]
    finally:
        for process in both:
            process.kill()
    assert [process.returncode for process in both] == [3, 3], words
    assert "bad pictures" in words[0]
    assert "Another process" in words[1]


@pytest.fixture
def torchrun(tmp_path):
    """Starts the command in two processes; none of them outlives the test."""
    launched = []

    def start(*arguments, runs, setting=SETTING):
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        command = [*launcher, "-m", "pipelines.cli", "train", *arguments, "--runs", str(runs), *setting.split()]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        launched.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment))
        return launched[-1]

    yield start
    for process in launched:
        if process.poll() is None:
            family = [*psutil.Process(process.pid).children(recursive=True), process]
            for member in family:
                member.kill()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_real_torchrun_stops_and_resumes(make_run, torchrun):
    """Through the command; two processes of the fork server are the undisturbed run."""
    straight, run = make_run("pix2pix", "straight", world=2), make_run("pix2pix", "run", world=2)
    lived(straight)
    launched = torchrun("pix2pix", "--data", str(run.data), "--name", "run", *OPTIONS.split(), runs=run.runs)
    run.wait_for_steps(launched.pid, 7)
    processes = [child for child in psutil.Process(launched.pid).children() if "pipelines.cli" in child.cmdline()]
    assert len(processes) == 2
    processes[1].send_signal(signal.SIGTERM)
    _, message = launched.communicate(timeout=2 * PATIENCE_SEC)
    assert "Stopped and saved at" in message, message
    assert run.shelf.all()[-1] >= 7
    again = torchrun("--resume", "run", runs=run.runs)
    _, message = again.communicate(timeout=2 * PATIENCE_SEC)
    assert again.returncode == 0, message
    assert run.result() == straight.result()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_budget_in_minutes_and_a_refused_data_set_under_the_real_torchrun(folder, torchrun, tmp_path):
    """Each process measures by its own clock, and the doctor speaks once."""
    examined = SETTING.replace("--no-check", "")
    assert examined != SETTING
    timed = OPTIONS.replace("--images 100", "--minutes 0.1")
    assert timed != OPTIONS
    launched = torchrun("pix2pix", "--data", str(folder), *timed.split(), runs=tmp_path / "runs", setting=examined)
    _, message = launched.communicate(timeout=2 * PATIENCE_SEC)
    assert launched.returncode == 0, message
    assert (tmp_path / "runs" / "pix2pix-1" / "metrics.jsonl").exists()
    (folder / "trainA" / "00.png").rename(tmp_path / "00.png")
    launched = torchrun("pix2pix", "--data", str(folder), *OPTIONS.split(), runs=tmp_path / "runs", setting=examined)
    _, message = launched.communicate(timeout=PATIENCE_SEC)
    (tmp_path / "00.png").rename(folder / "trainA" / "00.png")
    assert launched.returncode == 1, message
    assert message.count("cannot be trained on") == 1
    assert "Another process of this run has failed" in message
