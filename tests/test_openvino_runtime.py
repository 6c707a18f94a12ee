"""OpenVINO's runtime keeps the same contract as ONNX Runtime's; bf16 has a bar of its own."""

import sys
from functools import partial
from importlib.metadata import PackageNotFoundError

import numpy as np
import onnx
import openvino
import pytest
from built_attacks import ATTACKS
from onnx import helper, numpy_helper
from tiles import BAR, Numbers, noise, resnet, whole
from tiny_onnx import card, graph_of, negative, saved, with_sidecar

import pipelines
import translate.runtime.extras
from pipelines.large import Tiles
from translate.card import LabelMap, SizeRule
from translate.errors import ConfigurationError, DeviceError, ModelError
from translate.runtime import openvino_trial, probation
from translate.runtime.codec import codec_for
from translate.runtime.integrity import sidecar
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.openvino import OpenVinoRuntime
from translate.runtime.openvino_model import OpenVinoModel, OpenVinoPiece, core
from translate.runtime.tiling import Tiled

HAS_BF16 = "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
bf16 = pytest.mark.skipif(not HAS_BF16, reason="this CPU has no bf16")


def convolution(path, gain=0.02, layers=3):
    """Layers of 3 x 3 convolutions with tanh; a large gain makes small errors large."""
    rng = np.random.default_rng(0)
    weights = [
        rng.standard_normal((16, 3 if n == 0 else 16, 3, 3)).astype(np.float32) * gain * 8 for n in range(layers)
    ]
    weights.append(rng.standard_normal((3, 16, 3, 3)).astype(np.float32) * gain * 8)
    nodes, last = [], "a"
    for n in range(len(weights)):
        nodes.append(helper.make_node("Conv", [last, f"w{n}"], [f"c{n}"], pads=[1] * 4))
        last = f"t{n}" if n < layers else "b"
        nodes.append(helper.make_node("Tanh", [f"c{n}"], [last]))
    constants = [numpy_helper.from_array(weight, f"w{n}") for n, weight in enumerate(weights)]
    return saved(path, graph_of(nodes, [("a",)], [("b",)], constants))


def picture():
    return {"a": np.random.default_rng(1).uniform(-1, 1, (2, 3, 40, 56)).astype(np.float32)}


def test_fp32_equals_onnxruntime(tmp_path):
    path = convolution(tmp_path / "c.onnx")
    ours, theirs = OpenVinoRuntime(path), OnnxRuntime(path, device="cpu")
    assert (ours.device, ours.card) == ("openvino (fp32)", theirs.card)
    for size in (slice(None), slice(0, 24)):
        given = {"a": np.ascontiguousarray(picture()["a"][:, :, size])}
        np.testing.assert_allclose(ours.run(given)["b"], theirs.run(given)["b"], atol=1e-5)


def test_what_came_out_stays_when_the_next_picture_runs(tmp_path):
    runtime = OpenVinoRuntime(negative(tmp_path / "n.onnx"))
    first = runtime.run({"a": np.full((1, 3, 8, 8), 0.5, np.float32)})["b"]
    runtime.run({"a": np.full((1, 3, 8, 8), 0.25, np.float32)})
    assert (first == -0.5).all()


def test_ports_go_by_name(tmp_path):
    nodes = [helper.make_node("Sub", ["first", "second"], ["less"]), helper.make_node("Neg", ["first"], ["minus"])]
    model = graph_of(nodes, [("first",), ("second",)], [("less",), ("minus",)])
    text = card(inputs=("second", "first"), outputs=("minus", "less")).to_json()
    one, half = (np.full((2, 3, 8, 16), number, np.float32) for number in (1.0, 0.5))
    made = OpenVinoRuntime(saved(tmp_path / "two.onnx", model, text)).run({"second": half, "first": one})
    assert list(made) == ["minus", "less"]
    assert (made["minus"] == -1).all()
    assert (made["less"] == 0.5).all()


def test_through_load(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (13, 29, 3), dtype=np.uint8)
    translate_picture = pipelines.load(negative(tmp_path / "negative.onnx"), device="openvino")
    assert translate_picture.device == "openvino (fp32)"
    np.testing.assert_array_equal(np.asarray(translate_picture(pixels)), 255 - pixels)


# Tiles


@pytest.mark.parametrize(
    "kind", [("batch", "paper"), ("none", "blur"), ("instance", "blur"), ("instance-affine", "paper")]
)
def test_tiles_equal_the_whole_picture_in_fp32(kind, tmp_path):
    model, of, _ = resnet(*kind)
    runtime = OpenVinoRuntime(saved(tmp_path / "m.onnx", onnx.load_model_from_string(model), of.to_json()))
    sample = {"a": noise(127, 211)}
    truth = runtime.run(codec_for(of).encode([sample]))["b"]
    sink = Numbers(truth.shape)
    runtime.tiled().run_into({"b": sink}, sample, tile_px=64)
    assert np.abs(sink.numbers - truth).max() <= BAR
    assert truth.std() > 0.1


@bf16
def test_tiles_equal_the_whole_picture_in_bf16_without_statistics():
    model, of, _ = resnet("batch")
    sample, piece = {"a": noise(127, 211)}, partial(OpenVinoPiece, compute="bf16")
    truth = OpenVinoModel(model, "bf16").run(codec_for(of).encode([sample]))["b"]
    sink = Numbers(truth.shape)
    Tiled(model, of, open_session=piece).run_into({"b": sink}, sample, tile_px=64)
    assert np.abs(sink.numbers - truth).max() <= BAR
    assert np.abs(truth - whole(model, of, sample)["b"]).max() > 10 * BAR, "this is bf16"


def test_a_run_in_tiles_needs_no_onnxruntime(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    model, of, _ = resnet("batch")
    path = saved(tmp_path / "m.onnx", onnx.load_model_from_string(model), of.to_json())
    made = pipelines.load(path, device="openvino", tiles=Tiles(tile_px=64))(noise(70, 130))
    assert np.ptp(np.asarray(made)) > 50


# Hash first, a child first


def test_a_flipped_bit_is_refused_before_openvino_sees_it(tmp_path, monkeypatch):
    path = with_sidecar(negative(tmp_path / "n.onnx"))
    seen = []
    monkeypatch.setattr(openvino.Core, "read_model", lambda *given: seen.append("openvino"))
    monkeypatch.setattr(probation, "_started", lambda *given: seen.append("child"))
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="SHA-256"):
        OpenVinoRuntime(path)
    assert seen == []
    sidecar(path).unlink()
    with pytest.raises(Exception):  # noqa: B017, PT011 - the control: the fakes give nothing to go on with
        OpenVinoRuntime(path)
    assert seen != []


@pytest.mark.parametrize(
    "name", ["outside: beside", "compiled blob", "function body", "infinite loop", "huge constant"]
)
def test_a_built_attack_is_refused_in_the_child(tmp_path, monkeypatch, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "model.onnx"
    path.write_bytes(ATTACKS[name](folder).SerializeToString())
    seen = []
    monkeypatch.setattr(openvino.Core, "read_model", lambda *given: seen.append("openvino"))
    with pytest.raises(ModelError, match="is refused by openvino"):
        OpenVinoRuntime(with_sidecar(path))
    assert seen == []


def test_what_onnxruntime_tried_openvino_tries_again(tmp_path, monkeypatch):
    path = negative(tmp_path / "n.onnx")
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    started = []
    whole = probation._started
    monkeypatch.setattr(probation, "_started", lambda *given: (started.append(given[0].name), whole(*given))[1])
    OnnxRuntime(path, device="cpu")
    OpenVinoRuntime(path)
    OpenVinoRuntime(path)
    assert [name.partition("-")[0] for name in started] == ["onnxruntime", "openvino"]


# bf16


@bf16
def test_bf16_is_near_fp32_and_is_not_fp32(tmp_path):
    path = convolution(tmp_path / "c.onnx")
    exact, fast = OpenVinoRuntime(path), OpenVinoRuntime(path, compute="bf16")
    assert fast.device == "openvino (bf16)"
    worst = np.abs(exact.run(picture())["b"] - fast.run(picture())["b"]).max()
    assert 1e-5 < worst < openvino_trial.BF16_BAR


@bf16
def test_a_model_that_is_too_inexact_in_bf16_is_refused_with_the_figure(tmp_path):
    path = convolution(tmp_path / "c.onnx", gain=2)
    assert OpenVinoRuntime(path).device == "openvino (fp32)"
    with pytest.raises(ModelError, match=r"in bf16 it differs from fp32 by [012]\.\d+ .* run it in fp32"):
        OpenVinoRuntime(path, compute="bf16")


@pytest.mark.parametrize("worst", [0.0, openvino_trial.BF16_BAR])
def test_up_to_the_bar_is_allowed(worst):
    openvino_trial.require_close(worst)


@pytest.mark.parametrize("worst", [openvino_trial.BF16_BAR + 1e-6, float("nan"), float("inf")])
def test_control_beyond_the_bar_is_refused(worst):
    with pytest.raises(ModelError, match="bf16"):
        openvino_trial.require_close(worst)


class Constant:
    """A model that always gives the same."""

    def __init__(self, **arrays):
        self._arrays = arrays

    def run(self, inputs):
        return self._arrays


@pytest.mark.parametrize(
    ("pixels", "truth", "made", "expected"),
    [
        (False, np.float32([[[[0.5]]]]), np.float32([[[[-0.25]]]]), 0.75),
        (True, np.uint8([[[[200]]]]), np.uint8([[[[73]]]]), 127 / 127.5),
    ],
)
def test_the_difference_is_in_units_of_the_network(pixels, truth, made, expected):
    found = openvino_trial.difference(Constant(b=truth), Constant(b=made), card(pixels=pixels))
    assert found == pytest.approx(expected)


def test_the_difference_of_label_maps_is_the_share_of_other_classes():
    port = LabelMap(name="b", classes=2, size=SizeRule())
    maps = card()
    object.__setattr__(maps, "outputs", (port,))
    truth = np.zeros((1, 2, 2, 2), np.float32)
    made = truth.copy()
    truth[0, 0], made[0, 0] = 9, [[9, 9], [9, -9]]
    assert openvino_trial.difference(Constant(b=truth), Constant(b=made), maps) == 0.25


def test_a_cpu_without_bf16_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(openvino.Core, "get_property", lambda *given: ["FP32", "INT8"])
    with pytest.raises(DeviceError, match="no bf16"):
        pipelines.load(negative(tmp_path / "n.onnx"), device="openvino", compute="bf16")


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda"])
def test_bf16_is_for_openvino(tmp_path, device):
    with pytest.raises(ConfigurationError, match="--compute bf16 is for --device openvino"):
        pipelines.load(negative(tmp_path / "n.onnx"), device=device, compute="bf16")


def test_a_missing_openvino_names_the_extra(tmp_path, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(translate.runtime.extras, "version", missing)
    with pytest.raises(ConfigurationError, match=r"pip install 'pixturn\[openvino\]'"):
        pipelines.load(negative(tmp_path / "n.onnx"), device="openvino")


@pytest.mark.parametrize("device", ["tensorrt", "openvino"])
def test_a_run_is_exported_first(tmp_path, device):
    with pytest.raises(DeviceError, match="pixturn export"):
        pipelines.load(tmp_path, device=device)
