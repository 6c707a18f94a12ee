"""`run.json`: what made the pictures of a folder, kept up to date over runs, kills and stops."""

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from importlib.metadata import version

import onnxruntime
import pytest
from folder_models import Negative, card, drawn, negative
from tiny_onnx import negative as negative_model
from tiny_tasks import upscaler

import pipelines
import pipelines.batch.record
from pipelines.batch import run_folder
from pipelines.cli import main
from pipelines.tasks import Translate
from translate.errors import ConfigurationError, ModelError, StorageError


@pytest.fixture
def pictures(tmp_path):
    for index in range(4):
        drawn(tmp_path / "in" / f"{index}.png", index)
    return tmp_path / "in"


def runs(out):
    return json.loads((out / "run.json").read_text())["runs"]


def counts(entry):
    return tuple(entry["pictures"][name] for name in ("translated", "there_before", "failed", "left"))


def test_model_device_versions_counts_and_times(pictures, tmp_path):
    path, out = negative_model(tmp_path / "model.onnx"), tmp_path / "out"
    (pictures / "bad.png").write_text("no picture")
    run_folder(pipelines.load(path, device="auto"), pictures, out)
    (entry,) = runs(out)
    assert entry["state"] == "finished"
    assert entry["device"] == "cpu", "what auto took"
    assert (entry["model"]["file"], entry["model"]["name"]) == (str(path), "tiny")
    assert entry["model"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (entry["model"]["precision"], entry["compute"]) == ("fp32", "fp32")
    assert entry["versions"]["onnxruntime"] == onnxruntime.__version__
    assert entry["versions"]["pixturn"] == version("pixturn")
    assert counts(entry) == (4, 0, 1, 0)
    taken = datetime.fromisoformat(entry["finished"]) - datetime.fromisoformat(entry["started"])
    assert 0 <= taken.total_seconds() <= entry["seconds"] + 1


def test_openvino_says_what_it_computes_in(pictures, tmp_path):
    path = negative_model(tmp_path / "model.onnx")
    run_folder(pipelines.load(path, device="openvino"), pictures, tmp_path / "out")
    (entry,) = runs(tmp_path / "out")
    assert (entry["device"], entry["compute"]) == ("openvino (fp32)", "fp32")
    assert entry["versions"]["openvino"] == version("openvino")


def test_a_runtime_that_does_not_say_leaves_it_open(pictures, tmp_path):
    run_folder(negative(), pictures, tmp_path / "out")
    assert runs(tmp_path / "out")[0]["model"]["sha256"] is None


def test_going_on_adds_an_entry(pictures, tmp_path):
    out = tmp_path / "out"
    translate = negative()
    run_folder(translate, pictures, out, stop=lambda: len(translate._runtime.calls) == 2)
    run_folder(negative(), pictures, out)
    first, second = runs(out)
    assert (first["state"], second["state"]) == ("stopped", "finished")
    translated, _, _, left = counts(first)
    assert (translated, left) == (2, 2)
    assert counts(second) == (left, translated, 0, 0)


def test_results_of_another_model_do_not_count_as_done(pictures, tmp_path, capsys):
    lineart, colourise = negative_model(tmp_path / "lineart.onnx"), upscaler(tmp_path / "colourise.onnx")
    out = tmp_path / "out"

    def run(model):
        return main(["run", str(model), str(pictures), "-o", str(out), "--device", "cpu"])

    assert run(lineart) == 0
    assert run(colourise) == 2
    assert f"{out} holds the results of tiny: choose another -o" in " ".join(capsys.readouterr().err.split())
    assert len(runs(out)) == 1
    assert run(lineart) == 0, "the control: the same model goes on"
    with pytest.raises(ConfigurationError, match="holds the results of tiny"):
        run_folder(negative(recipe_sha256="0" * 64), pictures, out)
    for path in out.glob("*.png"):
        path.unlink()
    assert run(colourise) == 0, "nothing of the other is left"


class Failing(Negative):
    def run(self, inputs):
        raise ValueError("the device is gone")


def test_a_run_that_fails_says_so(tmp_path):
    for index in range(25):
        drawn(tmp_path / "in" / f"{index}.png", index)
    with pytest.raises(ModelError):
        run_folder(Translate(Failing(card())), tmp_path / "in", tmp_path / "out")
    (entry,) = runs(tmp_path / "out")
    assert (entry["state"], entry["pictures"]["failed"]) == ("failed", 19)


KILLED = """
import os, sys
sys.path.insert(0, {tests!r})
from folder_models import negative
from pipelines.batch import run_folder
import pipelines.batch.record
pipelines.batch.record._EVERY_SEC = {every}
run_folder(negative(), {source!r}, {out!r}, progress=lambda done, total: done == 3 and os.kill(os.getpid(), 9))
"""


@pytest.mark.parametrize(("every", "seen"), [(0.0, 2), (10.0, 0)])
def test_after_a_kill_the_record_is_whole_and_the_next_run_says_it(pictures, tmp_path, every, seen):
    out = tmp_path / "out"
    code = KILLED.format(tests=sys.path[0], source=str(pictures), out=str(out), every=every)
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == -9
    (entry,) = runs(out)
    assert (entry["state"], entry["finished"], entry["pictures"]["translated"]) == ("running", None, seen)
    run_folder(negative(), pictures, out)
    assert [each["state"] for each in runs(out)] == ["killed", "finished"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b'{"runs": 3}', b'{"runs": [1]}', b"[" * 100_000])
def test_a_record_that_is_none_of_ours_is_begun_anew(pictures, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_bytes(content)
    run_folder(negative(), pictures, tmp_path / "out")
    assert [each["state"] for each in runs(tmp_path / "out")] == ["finished"]


def test_old_entries_go_in_the_end(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(pipelines.batch.record, "_MOST_RUNS", 3)
    for _ in range(5):
        run_folder(negative(), pictures, tmp_path / "out")
    assert [counts(each)[0] for each in runs(tmp_path / "out")] == [0, 0, 0]


def test_a_disk_that_takes_no_record_ends_the_run(pictures, tmp_path, monkeypatch):
    def full(path, content):
        raise StorageError(f"{path}: full")

    monkeypatch.setattr(pipelines.batch.record, "write_atomically", full)
    with pytest.raises(StorageError, match=r"run\.json: full"):
        run_folder(negative(), pictures, tmp_path / "out")


def test_the_command_names_it_in_its_last_line(pictures, tmp_path, capsys):
    model, out = negative_model(tmp_path / "model.onnx"), tmp_path / "out"
    assert main(["run", str(model), str(pictures), "-o", str(out), "--device", "cpu"]) == 0
    assert str(out / "run.json") in capsys.readouterr().out.splitlines()[-1]
