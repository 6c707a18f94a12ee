import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from PIL import Image
from tiny_onnx import card, graph_of, negative, saved, with_card

import pipelines
import translate.runtime.extras
import translate.runtime.session
from translate.card import Card
from translate.errors import ConfigurationError, DeviceError, ModelError, StorageError
from translate.runtime.cores import usable_cores
from translate.runtime.extras import require_onnx, require_onnxruntime
from translate.runtime.failures import failed_run
from translate.runtime.onnx import OnnxRuntime


def test_a_picture_of_an_odd_size_through_load(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (13, 29, 3), dtype=np.uint8)
    translate_picture = pipelines.load(negative(tmp_path / "negative.onnx"), device="cpu")
    assert translate_picture.device == "cpu"
    np.testing.assert_array_equal(np.asarray(translate_picture(Image.fromarray(pixels))), 255 - pixels)


def test_ports_go_by_name_not_by_order(tmp_path):
    nodes = [helper.make_node("Sub", ["first", "second"], ["less"]), helper.make_node("Neg", ["first"], ["minus"])]
    model = graph_of(nodes, [("first",), ("second",)], [("less",), ("minus",)])
    text = card(inputs=("second", "first"), outputs=("minus", "less")).to_json()
    runtime = OnnxRuntime(saved(tmp_path / "two.onnx", model, text), device="cpu")
    one, half = (np.full((2, 3, 4, 5), number, np.float32) for number in (1.0, 0.5))
    made = runtime.run({"second": half, "first": one})
    assert list(made) == ["minus", "less"]
    np.testing.assert_array_equal(made["minus"], -one)
    np.testing.assert_array_equal(made["less"], half)
    assert runtime.card == Card.from_json(text)


WITHOUT_TORCH = """
import sys, time
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"torch", "torchvision", "kornia", "albumentations", "cv2"}}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, NoTorch())
import numpy, pipelines
made = pipelines.load({path!r}, device={device!r})(numpy.full((5, 6, 3), 10, "uint8"))
assert numpy.asarray(made).tolist() == numpy.full((5, 6, 3), 245).tolist()
print("done without", [name for name in ("torch", "scipy", "tyro") if name in sys.modules])
{more}
"""


def without_torch(path, device, more=""):
    code = WITHOUT_TORCH.format(path=str(path), device=device, more=more)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_torch_is_not_needed(tmp_path, device):
    """Neither here nor in the child that tries the model."""
    answer = without_torch(negative(tmp_path / "negative.onnx"), device)
    assert (answer.stdout, answer.returncode) == ("done without []\n", 0), answer.stderr


def test_control_torch_is_blocked(tmp_path):
    answer = without_torch(negative(tmp_path / "negative.onnx"), "cpu", more="import torch")
    assert "torch is blocked" in answer.stderr


BROKEN = {
    "without a card": (lambda path: negative(path, None), "has no card"),
    "a card that is none": (lambda path: negative(path, "{}"), "not a model card"),
    "a card of other ports": (lambda path: negative(path, card(inputs=("x",)).to_json()), "export it again"),
    "not there": (lambda path: path, "cannot be read"),
    "a folder": (lambda path: path.mkdir(), "cannot be read"),
    "no model": (lambda path: path.write_bytes(b"not a model"), "is refused by onnxruntime"),
    "cut off": (
        lambda path: path.write_bytes(negative(path).read_bytes()[:60]),
        "is refused by onnxruntime",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_model_of_ours_is_refused(tmp_path, name):
    make, words = BROKEN[name]
    path = tmp_path / "model.onnx"
    make(path)
    with pytest.raises(ModelError, match=words) as refusal:
        pipelines.load(path, device="cpu")
    assert refusal.value.exit_code == 4


def test_tensors_in_other_files_are_not_followed(tmp_path):
    weight = numpy_helper.from_array(np.ones((1, 3, 300, 300), np.float32), "w")
    model = graph_of([helper.make_node("Add", ["a", "w"], ["b"])], [("a",)], [("b",)], [weight])
    with_card(model)
    path = tmp_path / "outside.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) is not None
    with pytest.raises(ModelError, match=r"outside\.onnx"):
        OnnxRuntime(path, device="cpu")


def test_apple_devices_and_directions_are_not_for_files(tmp_path):
    path = negative(tmp_path / "negative.onnx")
    with pytest.raises(DeviceError, match="mps"):
        pipelines.load(path, device="mps")
    with pytest.raises(ConfigurationError, match="--direction BtoA"):
        pipelines.load(path, direction="BtoA")


def test_a_missing_onnxruntime_names_both_extras(tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(translate.runtime.extras, "version", missing)
    with pytest.raises(ConfigurationError, match=r"pixturn\[cpu\].*pixturn\[gpu\]") as refusal:
        pipelines.load(negative(tmp_path / "negative.onnx"))
    assert refusal.value.exit_code == 2


def test_two_onnxruntimes_at_once_are_refused(tmp_path, monkeypatch):
    for name in ("onnxruntime", "onnxruntime_gpu"):
        metadata = Path(tmp_path / f"{name}-1.31.1.dist-info" / "METADATA")
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.31.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="pip uninstall -y onnxruntime onnxruntime-gpu"):
        require_onnxruntime()


def test_a_missing_onnx_names_both_extras(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(translate.runtime.extras, "version", missing)
    with pytest.raises(ConfigurationError, match=r"package onnx.*pixturn\[cpu\].*pixturn\[gpu\]"):
        require_onnx()


# A run that fails


def greedy(path):
    """Fits in memory at 8 px, and in no memory at 256 px: it makes H^3 x W^3 numbers in between."""
    constants = [numpy_helper.from_array(np.array([1, 1, 3, 3], np.int64), "powers")]
    nodes = [
        helper.make_node("Shape", ["a"], ["size"]),
        helper.make_node("Pow", ["size", "powers"], ["much"]),
        helper.make_node("ConstantOfShape", ["much"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("Add", ["a", "zero"], ["b"]),
    ]
    return saved(path, graph_of(nodes, [("a",)], [("b",)], constants))


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_a_picture_that_memory_does_not_hold_is_said_so(tmp_path, device, capfd):
    translate_picture = pipelines.load(greedy(tmp_path / "greedy.onnx"), device=device)
    assert translate_picture(np.zeros((8, 8, 3), np.uint8)).size == (8, 8)
    with pytest.raises(StorageError, match=r"1 x 3 x 256 x 256.*tiles") as refusal:
        translate_picture(np.zeros((256, 256, 3), np.uint8))
    assert refusal.value.exit_code == 5
    assert translate_picture(np.zeros((8, 8, 3), np.uint8)).size == (8, 8)  # and it goes on
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("problem", "code"), [(MemoryError(), 5), (RuntimeError("std::bad_alloc"), 5), (RuntimeError("Got: 3"), 4)], ids=str
)
def test_what_a_failed_run_means(problem, code):
    error = failed_run(problem, {"a": np.zeros((1, 3, 5, 7), np.float32)}, "cpu")
    assert (error.exit_code, "1 x 3 x 5 x 7" in str(error)) == (code, True)


def test_an_input_of_another_shape_is_a_typed_error(tmp_path):
    runtime = OnnxRuntime(negative(tmp_path / "negative.onnx"), device="cpu")
    with pytest.raises(ModelError, match="1 x 4 x 8 x 8"):
        runtime.run({"a": np.zeros((1, 4, 8, 8), np.float32)})


# Cores


LIMITS = {
    "no limit": ({}, 8),
    "version 2": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
    "version 2, none": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
    "version 2, a group above": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
            "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
        },
        3,
    ),
    "version 2, less than a core": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "5000 100000\n"}, 1),
    "version 1 in a container": (
        {
            "proc/self/cgroup": "4:cpu,cpuacct:/docker/0123\n3:memory:/docker/0123\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "400000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        4,
    ),
    "version 1, none": (
        {
            "proc/self/cgroup": "4:cpu:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        8,
    ),
    "nonsense": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "\n"}, 8),
}


@pytest.mark.parametrize("name", LIMITS)
def test_cores_are_those_of_the_control_group(tmp_path, monkeypatch, name):
    files, cores = LIMITS[name]
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    for place, text in files.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(text)
    assert usable_cores(tmp_path) == cores


def test_a_session_has_a_thread_a_core(tmp_path, monkeypatch):
    monkeypatch.setattr(translate.runtime.session, "usable_cores", lambda: 3)
    options = OnnxRuntime(negative(tmp_path / "a.onnx"), device="cpu")._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level) == (3, 1, 3)


def test_threads_that_wait_leave_their_cores_to_others(tmp_path, monkeypatch):
    given = []

    class Options(onnxruntime.SessionOptions):
        def add_session_config_entry(self, key, entry):
            given.append((key, entry))
            super().add_session_config_entry(key, entry)

    monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
    data = negative(tmp_path / "negative.onnx").read_bytes()
    for spins in (False, True):  # the second is the broken control
        given.clear()
        translate.runtime.session.new_session(data, spins=spins)
        assert ("session.intra_op.allow_spinning", str(int(spins))) in given
    given.clear()
    OnnxRuntime(tmp_path / "negative.onnx", device="cpu")
    assert ("session.intra_op.allow_spinning", "0") in given
