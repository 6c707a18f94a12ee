"""Inputs and outputs bound to memory: the same bits as without, for every shape, and what is asked of CUDA."""

import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from tiny_onnx import card, graph_of, helper, negative, with_sidecar

import pipelines
from pipelines.batch.folder import run_folder
from pipelines.load import load
from translate.errors import ConfigurationError
from translate.export.pixels import bake
from translate.runtime import bound
from translate.runtime import onnx as onnx_runtime
from translate.runtime.bound import MOST_PLACES, BoundSession, session_for_graphs
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.session import new_session

SHAPES = [(2, 16, 24), (2, 16, 24), (1, 16, 24), (2, 8, 8), (2, 16, 24), (1, 16, 24)]
"""N, H, W: batches that change, a last one that is short, and sizes that come again."""
RANDOM = np.random.default_rng(0)


@pytest.fixture
def floats(tmp_path, monkeypatch):
    """float32 N x C x H x W in and out: a convolution, so that bits depend on the arithmetic."""
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    kernel = onnx.numpy_helper.from_array(RANDOM.normal(size=(3, 3, 3, 3)).astype(np.float32), "kernel")
    node = helper.make_node("Conv", ["a", "kernel"], ["b"], pads=[1] * 4)
    path = tmp_path / "floats.onnx"
    model = graph_of([node], [("a",)], [("b",)], [kernel])
    path.write_bytes(saved(model))
    return with_sidecar(path)


@pytest.fixture
def pixels(floats):
    """uint8 N x H x W x C in and out."""
    path = floats.with_name("pixels.onnx")
    path.write_bytes(bake(onnx.load(floats), card())[0].SerializeToString())
    return with_sidecar(path)


def saved(model):
    helper.set_model_props(model, {onnx_runtime.CARD_KEY: card().to_json()})
    return model.SerializeToString()


def of_shape(kind, count, height, width):
    if kind == "pixels":
        return {"a": RANDOM.integers(0, 256, (count, height, width, 3), dtype=np.uint8)}
    return {"a": RANDOM.normal(size=(count, 3, height, width)).astype(np.float32)}


def session_of(path):
    return new_session(path.read_bytes(), threads=1)


@pytest.mark.parametrize("kind", ["floats", "pixels"])
def test_every_shape_gives_the_same_bits_as_without(kind, request):
    session = session_of(request.getfixturevalue(kind))
    ours, made = BoundSession(session, "cpu"), []
    for shape in SHAPES:
        given = of_shape(kind, *shape)
        expected = session.run(["b"], given)[0]
        made.append((ours.run(["b"], given)[0], expected))
    for one, expected in made:  # all at the end: none was overwritten by a later run
        assert one.dtype == expected.dtype == (np.uint8 if kind == "pixels" else np.float32)
        assert np.array_equal(one, expected)


def test_broken_control_places_that_are_not_filled_anew_are_seen(floats, monkeypatch):
    session = session_of(floats)
    monkeypatch.setattr(onnxruntime.OrtValue, "update_inplace", lambda self, array: None)
    ours, given = BoundSession(session, "cpu"), of_shape("floats", 1, 8, 8)
    assert not np.array_equal(ours.run(["b"], given)[0], session.run(["b"], given)[0])


def test_a_size_that_comes_again_has_its_place(floats):
    ours = BoundSession(session_of(floats), "cpu")
    addresses = []
    for _ in range(3):
        ours.run(["b"], of_shape("floats", 1, 8, 8))
        (place,) = ours._places.values()
        addresses.append((place._inputs["a"].data_ptr(), place._outputs[0].data_ptr()))
    assert len(set(addresses)) == 1


def test_other_outputs_have_a_place_of_their_own(tmp_path):
    nodes = [helper.make_node("Neg", ["a"], ["b"]), helper.make_node("Abs", ["a"], ["c"])]
    path = tmp_path / "two.onnx"
    path.write_bytes(graph_of(nodes, [("a",)], [("b",), ("c",)]).SerializeToString())
    ours, given = BoundSession(session_of(path), "cpu"), of_shape("floats", 1, 8, 8)
    assert np.array_equal(ours.run(["b"], given)[0], -given["a"])
    assert np.array_equal(ours.run(["c"], given)[0], np.abs(given["a"]))


def test_few_places_are_kept(floats):
    ours = BoundSession(session_of(floats), "cpu")
    sides = [*range(8, 8 + MOST_PLACES + 2), 8]
    for side in sides:
        ours.run(["b"], of_shape("floats", 1, side, 8))
    kept = [shapes[0][1][2] for _, shapes in ours._places]
    assert kept == sides[-MOST_PLACES:]


@pytest.mark.parametrize("kind", ["floats", "pixels"])
def test_few_bytes_are_kept(kind, request, monkeypatch):
    one_bytes = 2 * 3 * 8 * 8 * {"floats": 4, "pixels": 1}[kind]  # of a picture of 8 x 8, as it goes in and comes out
    monkeypatch.setattr(bound, "MOST_BYTES", 4 * one_bytes)
    ours, kept = BoundSession(session_of(request.getfixturevalue(kind)), "cpu"), []
    for count in (1, 2, 1, 3, 5, 1, 4, 4):
        ours.run(["b"], of_shape(kind, count, 8, 8))
        kept.append([shapes[0][1][0] for _, shapes in ours._places])
    assert kept == [[1], [1, 2], [2, 1], [1, 3], [5], [1], [4], [4]]


def test_what_is_not_contiguous_is_taken_as_it_reads(floats):
    session = session_of(floats)
    turned = {"a": of_shape("floats", 1, 8, 12)["a"].transpose(0, 1, 3, 2)}
    ours = BoundSession(session, "cpu")
    for _ in range(2):
        assert np.array_equal(ours.run(["b"], turned)[0], session.run(["b"], turned)[0])


def test_a_run_that_fails_leaves_no_place(floats):
    runtime = OnnxRuntime(floats, device="cpu", binding="yes")
    with pytest.raises(Exception, match="cannot be run on 1 x 4 x 8 x 8"):
        runtime.run({"a": np.zeros((1, 4, 8, 8), np.float32)})
    assert not runtime._running._places


@pytest.mark.parametrize("kind", ["floats", "pixels"])
def test_a_folder_comes_out_the_same(kind, request, tmp_path):
    path, folder = request.getfixturevalue(kind), tmp_path / "in"
    folder.mkdir()
    from PIL import Image

    for index, side in enumerate([12, 12, 12, 12, 12, 20, 20]):  # batches of 2, and short last ones
        Image.fromarray(RANDOM.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    for binding in ("no", "yes"):
        run_folder(load(path, device="cpu", binding=binding), folder, tmp_path / binding, batch=2)
    for index in range(7):
        assert (tmp_path / "no" / f"{index}.png").read_bytes() == (tmp_path / "yes" / f"{index}.png").read_bytes()


# What CUDA is asked for; none is here


class Recording:
    """A session that says how it was run."""

    def __init__(self, session):
        self.session, self.graphs = session, []

    def io_binding(self):
        return self.session.io_binding()

    def run_with_iobinding(self, binding, options):
        self.graphs.append(options.get_run_config_entry("gpu_graph_id"))
        self.session.run_with_iobinding(binding, options)


def test_each_size_is_recorded_once_its_places_are_there(floats):
    recording = Recording(session_of(floats))
    ours = BoundSession(recording, "cpu", replays=True)
    for side in (8, 8, 8, 16, 16, 8):
        ours.run(["b"], of_shape("floats", 1, side, 8))
    assert recording.graphs == ["-1", "0", "0", "-1", "1", "0"]
    for side in range(20, 20 + MOST_PLACES):
        for _ in range(2):
            ours.run(["b"], of_shape("floats", 1, side, 8))
    assert recording.graphs[-1] == "-1"  # graphs are kept for good, so there are few of them
    assert len(set(recording.graphs)) == MOST_PLACES + 1


def test_nothing_is_recorded_without_being_asked_for(floats):
    recording = Recording(session_of(floats))
    ours = BoundSession(recording, "cpu")
    for _ in range(3):
        ours.run(["b"], of_shape("floats", 1, 8, 8))
    assert set(recording.graphs) == {"-1"}


def test_cuda_alone_is_asked_to_record(monkeypatch):
    asked = []
    monkeypatch.setattr(bound, "new_session", lambda data, providers: asked.append(providers) or "a session")
    providers = [("CUDAExecutionProvider", {"use_tf32": "0"}), ("CPUExecutionProvider", {})]
    assert session_for_graphs(b"", providers) == "a session"
    assert asked == [[("CUDAExecutionProvider", {"use_tf32": "0", "enable_cuda_graph": "1"}), providers[1]]]


def test_a_model_that_cannot_be_recorded_runs_without(monkeypatch, caplog):
    def refuses(data, providers):
        raise RuntimeError("not all compute nodes are partitioned to CUDA")

    monkeypatch.setattr(bound, "new_session", refuses)
    assert session_for_graphs(b"", []) is None
    assert "runs without: not all compute nodes" in caplog.text


def test_graphs_on_a_cpu_are_told_and_memory_is_bound(floats, caplog):
    with caplog.at_level(logging.WARNING):
        runtime = OnnxRuntime(floats, device="cpu", binding="graphs")
    assert "CUDA graphs are for --device cuda" in caplog.text
    given = of_shape("floats", 1, 8, 8)
    assert np.array_equal(runtime.run(given)["b"], OnnxRuntime(floats, device="cpu").run(given)["b"])


@pytest.mark.parametrize(("name", "device"), [("checkpoints/x2", "openvino"), ("no-such-run", "cpu")])
def test_where_nothing_is_bound_the_option_is_refused(name, device):
    with pytest.raises(ConfigurationError, match="--bind yes"):
        pipelines.load(Path(name), device=device, binding="yes")


def test_by_default_nothing_is_bound(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    path = with_sidecar(negative(tmp_path / "tiny.onnx"))
    assert isinstance(OnnxRuntime(path, device="cpu")._running, onnxruntime.InferenceSession)
    assert isinstance(OnnxRuntime(path, device="cpu", binding="yes")._running, BoundSession)
