import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import pipelines
import translate.runtime.extras
import translate.runtime.onnx
from translate.card import Card, Picture, SizeRule
from translate.errors import ConfigurationError, DeviceError, ModelError
from translate.runtime.extras import require_onnxruntime
from translate.runtime.onnx import CARD_KEY, OnnxRuntime

EIGHTS = SizeRule(multiple_of_px=8)

no_driver = pytest.mark.skipif(translate.runtime.onnx._has_driver(), reason="there is a CUDA driver")


def value(name, channels=3):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, "H", "W"])


def graph_of(nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, "graph", [value(*each) for each in inputs], [value(*each) for each in outputs])
    graph.initializer.extend(constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def card(inputs=("a",), outputs=("b",), size=EIGHTS):
    inputs, outputs = (tuple(Picture(name=name, size=size) for name in names) for names in (inputs, outputs))
    return Card(task="translate", method="negative", name="tiny", inputs=inputs, outputs=outputs)


CARD = card().to_json()


def saved(path, model, text):
    if text is not None:
        helper.set_model_props(model, {CARD_KEY: text})
    path.write_bytes(model.SerializeToString())
    return path


def negative(path, text=CARD):
    """b = -a, that is 255 - x in levels."""
    return saved(path, graph_of([helper.make_node("Neg", ["a"], ["b"])], [("a",)], [("b",)]), text)


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


def test_torch_is_not_needed(tmp_path):
    path = negative(tmp_path / "negative.onnx")
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy, pipelines\n"
        f"made = pipelines.load({str(path)!r}, device='cpu')(numpy.full((5, 6, 3), 10, 'uint8'))\n"
        "assert numpy.asarray(made).tolist() == numpy.full((5, 6, 3), 245).tolist()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


BROKEN = {
    "without a card": (lambda path: negative(path, None), "has no card"),
    "a card that is none": (lambda path: negative(path, "{}"), "not a model card"),
    "a card of other ports": (lambda path: negative(path, card(inputs=("x",)).to_json()), "export it again"),
    "not there": (lambda path: path, "cannot be read"),
    "a folder": (lambda path: path.mkdir(), "cannot be read"),
    "no model": (lambda path: path.write_bytes(b"not a model"), "no model that ONNX Runtime can run"),
    "cut off": (
        lambda path: path.write_bytes(negative(path).read_bytes()[:60]),
        "no model that ONNX Runtime can run",
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
    helper.set_model_props(model, {CARD_KEY: card().to_json()})
    path = tmp_path / "outside.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) is not None
    with pytest.raises(ModelError, match=r"outside\.onnx"):
        OnnxRuntime(path, device="cpu")


@no_driver
@pytest.mark.skipif("CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="a CPU build")
def test_cuda_that_does_not_start_is_an_error(tmp_path):
    with pytest.raises(DeviceError, match="could not start CUDA") as refusal:
        pipelines.load(negative(tmp_path / "negative.onnx"), device="cuda")
    assert refusal.value.exit_code == 6


def test_cuda_with_a_cpu_build_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceError, match=r"pixturn\[gpu\]"):
        OnnxRuntime(negative(tmp_path / "negative.onnx"), device="cuda")


@no_driver
def test_auto_says_what_it_took(tmp_path, monkeypatch, caplog):
    path = negative(tmp_path / "negative.onnx")
    assert OnnxRuntime(path).device == "cpu"
    assert not caplog.records
    monkeypatch.setattr(translate.runtime.onnx, "_has_driver", lambda: True)
    assert OnnxRuntime(path).device == "cpu"
    assert "could not start CUDA" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("cpu", ["CPUExecutionProvider"]),
    ],
)
def test_where_cuda_works_it_is_taken_unless_the_cpu_was_asked_for(tmp_path, monkeypatch, wanted, asked):
    real = onnxruntime.InferenceSession
    seen = []

    class Pretending(real):
        def __init__(self, content, options, providers):
            seen.extend(providers)
            super().__init__(content, options, providers=["CPUExecutionProvider"])

        def get_providers(self):
            return seen

    monkeypatch.setattr(onnxruntime, "InferenceSession", Pretending)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(translate.runtime.onnx, "_has_driver", lambda: True)
    runtime = OnnxRuntime(negative(tmp_path / "negative.onnx"), device=wanted)
    assert seen == asked
    assert runtime.device == ("cpu" if wanted == "cpu" else "cuda")


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
