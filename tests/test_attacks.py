"""What has a valid hash and is harmful dies in the child; and the child is asked once."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from built_attacks import ATTACKS
from onnx import helper, numpy_helper
from tiny_onnx import graph_of, negative, saved, with_card, with_sidecar

from translate.errors import ConfigurationError, ModelError
from translate.runtime import approvals, probation
from translate.runtime.integrity import ModelFile, read_model
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.probation import Trial, require_trial
from translate.storage import cache

# Built to do harm, with a valid hash


@pytest.mark.parametrize("name", ATTACKS)
def test_a_built_attack_with_a_valid_hash_is_refused_in_the_child_alone(tmp_path, monkeypatch, name):
    shown = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *given, **more: shown.append("onnxruntime"))
    path = built(tmp_path, name)
    before = everything_in(tmp_path)
    with pytest.raises(ModelError, match=r"model\.onnx is refused by onnxruntime"):
        OnnxRuntime(path, device="cpu")
    assert (shown, everything_in(tmp_path)) == ([], before)


def built(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(ATTACKS[name](folder).SerializeToString())
    return with_sidecar(folder / "model.onnx")


def everything_in(folder):
    return sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_control_the_attacks_differ_from_a_model_that_passes_by_nothing_else(tmp_path):
    nodes = [helper.make_node("Add", ["a", "w"], ["b"])]
    weight = numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "w")
    path = with_sidecar(saved(tmp_path / "model.onnx", graph_of(nodes, [("a",)], [("b",)], [weight])))
    assert OnnxRuntime(path, device="cpu").device == "cpu"


def test_control_without_gate_and_child_a_damaged_model_ends_the_process(tmp_path):
    path = built(tmp_path, "group=0")
    code = f"import onnxruntime; onnxruntime.InferenceSession(open({str(path)!r}, 'rb').read())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60).returncode < 0


HOOKED = """
import io, os, sys
harm = []
def hook(event, given):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "ctypes.call")):
        harm.append([event, repr(given)[:200]])
    if event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR):
        if given[0] != os.devnull:
            harm.append([event, repr(given)[:200]])
from translate.runtime import onnx_trial, trial
sys.addaudithook(hook)
if {control}:
    open({canary!r}, "w").close()
    __import__("socket").socket()
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        reason = trial._refusal(file.read(), onnx_trial._Model)
    if reason is None:
        harm.append(["accepted", path])
import json
print(json.dumps(harm))
"""


def harm_of(paths, canary, *, control=False):
    code = HOOKED.format(control=control, canary=str(canary))
    answer = subprocess.run([sys.executable, "-c", code, *map(str, paths)], capture_output=True, text=True, timeout=120)
    return json.loads(answer.stdout.splitlines()[-1])


def test_no_attack_opens_a_socket_or_writes_a_file(tmp_path):
    """Seen from inside of what the child does; a constant of 256 GB needs the child's limits, and is left out."""
    paths = []
    for number, name in enumerate(set(ATTACKS) - {"huge constant"}):
        (tmp_path / str(number)).mkdir()
        paths.append(built(tmp_path / str(number), name))
    assert harm_of(paths, tmp_path / "canary") == []
    assert not (tmp_path / "canary").exists()
    seen = {event for event, _ in harm_of([], tmp_path / "canary", control=True)}
    assert seen == {"open", "socket.__new__"}


# The child

BEHAVIOUR = {
    "aborts": ("import os; os.abort()", "SIGABRT"),
    "divides by zero": ("import os, signal; os.kill(os.getpid(), signal.SIGFPE)", "SIGFPE"),
    "leaves": ("import os; os._exit(0)", "exit code 0"),
    "never ends": ("import time; time.sleep(60)", "not loaded and run within 1 s"),
    "computes for ever": ("while True: pass", "within 1 s|SIGKILL|SIGXCPU"),
    "takes all memory": ("bytearray(1 << 40)", "MemoryError"),
    "writes a file": ("open({canary!r}, 'w').write('x' * 100_000)", "File too large"),
    "prints": ("print('no' * 100_000)", None),
    "has a child of its own": (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
        "within 1 s",
    ),
}
ENGINE = """
import os
from translate.runtime.trial import answer
class Model:
    def __init__(self, data, card):
        {behaviour}
    def run(self, inputs):
        return {{"b": inputs["a"]}}
def main():
    answer(Model)
"""


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", BEHAVIOUR)
def test_whatever_happens_in_the_child_the_caller_lives(tmp_path, monkeypatch, name):
    behaviour, words = BEHAVIOUR[name]
    engine = f"engine_{abs(hash(name))}"
    (tmp_path / f"{engine}.py").write_text(ENGINE.format(behaviour=behaviour.format(canary=str(tmp_path / "canary"))))
    monkeypatch.syspath_prepend(tmp_path)
    file = read_model(negative(tmp_path / "model.onnx"))
    trial = Trial(module=engine, engine=engine, patience_sec=1 if words and "within" in words else 30)
    before = children()
    if words is None:
        require_trial(file, trial)
    else:
        with pytest.raises(ModelError, match=words):
            require_trial(file, trial)
    assert children() == before
    assert not (tmp_path / "canary").exists() or (tmp_path / "canary").stat().st_size == 0


def children():
    import psutil

    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_a_child_that_cannot_start_is_no_fault_of_the_model(tmp_path, monkeypatch):
    file = read_model(negative(tmp_path / "model.onnx"))
    for broken in ("/no/such/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", broken)
        with pytest.raises(ConfigurationError, match="could not start"):
            require_trial(file, Trial(module="x", engine="nothing"))


# What was tried once


@pytest.fixture
def tries(monkeypatch, tmp_path):
    """An empty cache, and a list of the children that are started."""
    started = []
    whole = probation._started
    monkeypatch.setattr(probation, "_started", lambda *given: (started.append(given), whole(*given))[1])
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    return started


def test_a_model_is_tried_once(tmp_path, tries):
    path = negative(tmp_path / "model.onnx")
    for _ in range(2):
        OnnxRuntime(path, device="cpu")
    assert len(tries) == 1
    model = with_card(onnx.load_model(path))
    model.graph.doc_string = "another"
    path.write_bytes(model.SerializeToString())
    OnnxRuntime(path, device="cpu")
    assert len(tries) == 2


def test_a_model_that_was_refused_is_tried_again(tmp_path, tries):
    path = built(tmp_path, "branch")
    for _ in range(2):
        with pytest.raises(ModelError):
            OnnxRuntime(path, device="cpu")
    assert len(tries) == 2


def test_another_version_tries_again(tmp_path, tries, monkeypatch):
    path = negative(tmp_path / "model.onnx")
    OnnxRuntime(path, device="cpu")
    monkeypatch.setattr(onnxruntime, "__version__", "9.9")
    OnnxRuntime(path, device="cpu")
    monkeypatch.setattr(probation, "GATE_VERSION", 99)
    OnnxRuntime(path, device="cpu")
    assert len(tries) == 3


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(tmp_path, tries, monkeypatch):
    path = negative(tmp_path / "model.onnx")
    (tmp_path / "cache").write_text("a file where the folder should be")
    for _ in range(2):
        OnnxRuntime(path, device="cpu")
    assert len(tries) == 2


def test_where_approvals_lie(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PIXTURN_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache.cache_folder() == tmp_path / "home" / ".cache" / "pixturn"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    approvals.approve("0" * 64, "me")
    assert [path.name for path in (tmp_path / "xdg").rglob("*-me")] == [f"{'0' * 64}-me"]
    assert approvals.is_approved("0" * 64, "me")
    assert not approvals.is_approved("1" * 64, "me")
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_file_is_read_once(tmp_path, tries):
    """What is checked is what is loaded: a file that changes in between changes nothing."""
    path = with_sidecar(negative(tmp_path / "model.onnx"))
    file = read_model(path)
    path.write_bytes(b"harm")
    assert isinstance(file, ModelFile)
    require_trial(file, Trial(module="translate.runtime.onnx_trial", engine="x"))
    reads = Path.read_bytes
    opened = []
    with pytest.MonkeyPatch.context() as patch:
        negative(path)
        patch.setattr(Path, "read_bytes", lambda self: (opened.append(self), reads(self))[1])
        OnnxRuntime(path, device="cpu")
    assert opened == [path]
