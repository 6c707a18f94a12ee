"""A device that was asked for is there, or there is a reason: never another one in silence. Fakes: no GPU needed."""

import ctypes
import sys
import time

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from tiny_onnx import negative

import pipelines
import translate.runtime.onnx
from pipelines.cli import main
from translate.errors import DeviceError, StorageError
from translate.runtime import providers
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.providers import providers_for

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
REAL = onnxruntime.InferenceSession
NO_MEMORY = "BFCArena: Available memory of 1024 is smaller than requested bytes of 4096"


class Machine:
    """What ONNX Runtime and the system's loader would find; by default a GPU with everything that it needs."""

    built_in = (TENSORRT, CUDA, CPU)
    libraries = (providers._DRIVER, providers._CUDNN, providers._NVINFER)
    cuda_status = 0
    driver_cuda = 13
    preload_says = ""
    order = None
    creation_fails = None
    run_fails = None

    def __init__(self, **changes):
        for name, value in changes.items():
            assert hasattr(self, name)
            setattr(self, name, value)

    def load(self, library, *_given, **_more):
        if library not in self.libraries:
            raise OSError(f"{library}: cannot open shared object file: No such file or directory")
        return self

    def cuInit(self, flags):  # noqa: N802 - the driver's own name
        return self.cuda_status

    def cuDriverGetVersion(self, version):  # noqa: N802
        version._obj.value = self.driver_cuda * 1000
        return 0

    def session(self, data, options, *, providers, **settings):
        return Session(self, data, [name for name, _ in providers])


class Session:
    """A real session on the CPU that says it has what it was asked for."""

    def __init__(self, machine, data, names):
        if names != [CPU] and machine.creation_fails:
            raise RuntimeError(machine.creation_fails)
        self._machine, self._names = machine, names
        self._real = REAL(data, providers=[CPU])

    def get_providers(self):
        return self._names if self._machine.order is None or self._names == [CPU] else list(self._machine.order)

    def get_modelmeta(self):
        return self._real.get_modelmeta()

    def run(self, names, given):
        if self._machine.run_fails and self.get_providers() != [CPU]:
            raise RuntimeError(self._machine.run_fails)
        return self._real.run(names, given)


@pytest.fixture
def on(monkeypatch):
    """Puts this test on a machine."""

    def put(**changes):
        machine = Machine(**changes)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(machine.built_in))
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: sys.stdout.write(machine.preload_says))
        monkeypatch.setattr(onnxruntime, "InferenceSession", machine.session)
        monkeypatch.setattr(ctypes, "CDLL", machine.load)

    return put


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = negative(tmp_path_factory.mktemp("model") / "negative.onnx")
    OnnxRuntime(path, device="cpu")  # tried once, so that times below are those of a refusal
    return path


# What can be wrong: the machine, the device that is asked for, the reason, and what `auto` does (None: it has CUDA).
FAULTS = {
    "CUDA is not built in": ({"built_in": (CPU,)}, "cuda", "built without it", "warns"),
    "no driver": ({"libraries": ()}, "cuda", "no NVIDIA driver.*cannot open shared object", "is silent"),
    "no GPU": ({"cuda_status": 100}, "cuda", "cuInit gives 100", "warns"),
    "an old driver": ({"driver_cuda": 12}, "cuda", "knows CUDA 12, and ONNX Runtime needs 13", "warns"),
    "a library does not load": (
        {"preload_says": "Failed to load libcublas.so.13: not there\nPlease follow ...\n"},
        "cuda",
        r"Failed to load libcublas\.so\.13: not there; pip install 'pixturn\[gpu\]'",
        "warns",
    ),
    "no cuDNN": ({"libraries": (providers._DRIVER,)}, "cuda", "cudnn.*cannot be loaded.*pixturn", "warns"),
    "providers in another order": ({"order": (CPU, CUDA)}, "cuda", "behind the CPU", "warns"),
    "CUDA is left out": ({"order": (CPU,)}, "cuda", "left it out", "warns"),
    "the session fails": ({"creation_fails": "CUDA failure 2: out of memory"}, "cuda", "CUDA failure 2", "warns"),
    "TensorRT is not built in": ({"built_in": (CUDA, CPU)}, "tensorrt", "built without it", None),
    "no TensorRT": (
        {"libraries": (providers._DRIVER, providers._CUDNN)},
        "tensorrt",
        "nvinfer.*cannot be loaded; pip install 'tensorrt",
        None,
    ),
    "TensorRT is left out": ({"order": (CUDA, CPU)}, "tensorrt", "left it out", None),
    "TensorRT without a GPU": ({"cuda_status": 100}, "tensorrt", "cuInit gives 100", "warns"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_device_that_was_asked_for_and_is_not_there_is_an_error_with_the_reason(on, model, fault):
    changes, device, reason, _ = FAULTS[fault]
    on(**changes)
    started = time.monotonic()
    with pytest.raises(DeviceError, match=f"(?s)--device {device}: .*{reason}") as refusal:
        pipelines.load(model, device=device)
    assert time.monotonic() - started < 5
    assert refusal.value.exit_code == 6


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_control_without_the_fault_the_device_is_taken(on, model, device):
    on()
    assert pipelines.load(model, device=device).device == device


@pytest.mark.parametrize("fault", FAULTS)
def test_auto_says_what_it_took_and_why(on, model, fault, caplog, capsys):
    changes, _, _, answer = FAULTS[fault]
    on(**changes)
    translate_picture = pipelines.load(model)
    assert translate_picture.device == ("cuda" if answer is None else "cpu")
    assert bool(caplog.records) == (answer == "warns")
    if answer == "warns":
        assert "this runs on the CPU (" in caplog.text
    assert np.asarray(translate_picture(np.full((5, 6, 3), 10, np.uint8))).max() == 245
    assert capsys.readouterr().out == ""


def test_the_warning_has_the_reason(on, model, caplog):
    on(driver_cuda=12)
    pipelines.load(model)
    assert "knows CUDA 12" in caplog.text


@pytest.mark.parametrize(
    ("device", "wanted"),
    [("cpu", [CPU]), ("auto", [CUDA, CPU]), ("cuda", [CUDA, CPU]), ("tensorrt", [TENSORRT, CUDA, CPU])],
)
def test_what_is_asked_for_where_everything_works(on, device, wanted):
    on()
    assert [name for name, _ in providers_for(device)] == wanted


def test_cuda_computes_in_fp32_and_grows_by_what_it_needs(on):
    on()
    options = providers_for("cuda")[0][1]
    assert (options["use_tf32"], options["arena_extend_strategy"]) == ("0", "kSameAsRequested")


@pytest.mark.parametrize(("device", "error"), [("cuda", DeviceError), ("auto", DeviceError), ("cpu", StorageError)])
@pytest.mark.parametrize(
    "says", [NO_MEMORY, "CUDA failure 2: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "std::bad_alloc"]
)
def test_a_first_run_without_memory_says_what_to_do(on, model, monkeypatch, device, error, says):
    on(run_fails=says)
    runtime = OnnxRuntime(model, device=device)
    if device == "cpu":

        def fail(*given):
            raise RuntimeError(says)

        monkeypatch.setattr(runtime._session, "run", fail)
    with pytest.raises(error, match=r"1 x 3 x 8 x 16: give smaller pictures.*tiles"):
        runtime.run({"a": np.zeros((1, 3, 8, 16), np.float32)})


@pytest.mark.parametrize("fault", [*FAULTS, "no memory at the first run"])
def test_the_command_ends_with_6_and_writes_nothing(on, model, tmp_path, fault):
    changes, device, *_ = FAULTS.get(fault, ({"run_fails": NO_MEMORY}, "cuda"))
    on(**changes)
    Image.new("RGB", (9, 7)).save(tmp_path / "in.png")
    command = ["run", str(model), str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), "--device", device]
    assert main(command) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_control_the_command_writes_where_the_device_is_there(on, model, tmp_path):
    on()
    Image.new("RGB", (9, 7)).save(tmp_path / "in.png")
    command = ["run", str(model), str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), "--device", "cuda"]
    assert main(command) == 0
    assert (tmp_path / "out.png").exists()


# The controls: a runtime that asks and does not look


def trusting(device, model):
    """What a plain session gives: whatever ONNX Runtime took, with a word on the log."""
    asked = [TENSORRT, CUDA, CPU] if device == "tensorrt" else [CUDA, CPU]
    return REAL(model.read_bytes(), providers=[name for name in asked if name != CPU])


@pytest.mark.skipif(providers.has_driver(), reason="there is a CUDA driver")
@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_control_onnxruntime_alone_takes_the_cpu_in_silence(model, device, capfd):
    session = trusting(device, model)
    assert session.get_providers() == [CPU]
    assert session.run(None, {"a": np.zeros((1, 3, 8, 8), np.float32)})[0].shape == (1, 3, 8, 8)


@pytest.mark.parametrize("fault", ["providers in another order", "CUDA is left out", "TensorRT is left out"])
def test_control_a_runtime_that_does_not_look_at_what_it_got_is_found(on, model, monkeypatch, fault):
    changes, device, *_ = FAULTS[fault]
    on(**changes)
    monkeypatch.setattr(
        translate.runtime.onnx,
        "_session",
        lambda file, asked, device: translate.runtime.onnx.new_session(file.data, asked),
    )
    assert pipelines.load(model, device=device).device != device


@pytest.mark.parametrize(
    "fault", [name for name in FAULTS if "out" not in name and "order" not in name and "fails" not in name]
)
def test_control_a_runtime_that_does_not_ask_for_the_reason_is_found(on, model, monkeypatch, fault):
    changes, device, *_ = FAULTS[fault]
    on(**changes)
    monkeypatch.setattr(providers, "_why_not_cuda", lambda: None)
    monkeypatch.setattr(providers, "_why_not_tensorrt", lambda: None)
    assert pipelines.load(model, device=device).device == device  # the fake session says what it was asked for


@pytest.mark.skipif(providers.has_driver(), reason="there is a CUDA driver")
@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_on_a_real_machine_without_a_driver(model, device):
    if CUDA not in onnxruntime.get_available_providers():
        pytest.skip("a CPU build")
    with pytest.raises(DeviceError, match="no NVIDIA driver"):
        pipelines.load(model, device=device)
