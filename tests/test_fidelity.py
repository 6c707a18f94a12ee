"""Weights between two files: what torch makes of them, at the ends the files themselves; strangers are refused."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from folder_models import drawn, pixels_of
from onnx import TensorProto, helper, load_model_from_string, numpy_helper
from PIL import Image
from tiny_onnx import graph_of, negative, saved, with_sidecar
from torch.nn import functional

import pipelines
from pipelines import mixes
from pipelines.cli import main
from pipelines.fidelity import mix, perceptual_of
from translate.card import Card, Picture, SizeRule
from translate.deploy import enlargement
from translate.errors import ConfigurationError, ModelError
from translate.export.graph import to_onnx
from translate.networks.enlargers import EnlargerConfig
from translate.runtime.integrity import read_model
from translate.runtime.mixing import mixed
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.peek import peek_card
from translate.runtime.session import new_session

SHAPES = {"first": (8, 3, 3, 3), "bias": (8,), "last": (12, 8, 3, 3)}
"""Convolution, leaky ReLU, convolution, shuffle: twice as large."""


def weights(seed):
    random = np.random.default_rng(seed)
    return {name: random.normal(0, 0.15, shape).astype(np.float32) for name, shape in SHAPES.items()}


def model_of(values, dtype=np.float32, **changes):
    """The network as a graph; `changes` go to the card."""
    port = {"inputs": (Picture(name="a"),), "outputs": (Picture(name="b"),)}
    card = Card(**{"task": "upscale", "method": "m", "name": "n", "scale": 2, "licence": "CC0", **port, **changes})
    half = dtype == np.float16
    nodes = [
        *([helper.make_node("Cast", ["a"], ["x"], to=TensorProto.FLOAT16)] if half else []),
        helper.make_node("Conv", ["x" if half else "a", "first", "bias"], ["y"], pads=[1] * 4),
        helper.make_node("LeakyRelu", ["y"], ["z"], alpha=0.2),
        helper.make_node("Conv", ["z", "last"], ["w"], pads=[1] * 4),
        helper.make_node("DepthToSpace", ["w"], ["v" if half else "b"], blocksize=2, mode="CRD"),
        *([helper.make_node("Cast", ["v"], ["b"], to=TensorProto.FLOAT)] if half else []),
    ]
    constants = [numpy_helper.from_array(value.astype(dtype), name) for name, value in values.items()]
    model = graph_of(nodes, [("a",)], [("b",)], constants)
    helper.set_model_props(model, {"pixturn.card": card.to_json()})
    return model


def torch_network(values, picture):
    """The same by torch alone."""
    first, bias, last = (torch.from_numpy(values[name]) for name in SHAPES)
    hidden = functional.leaky_relu(functional.conv2d(torch.from_numpy(picture), first, bias, padding=1), 0.2)
    return functional.pixel_shuffle(functional.conv2d(hidden, last, padding=1), 2).numpy()


def interpolated(fidelity):
    return {name: fidelity * value + (1 - fidelity) * weights(1)[name] for name, value in weights(0).items()}


def noise(seed=5, size=(11, 14)):
    return np.random.default_rng(seed).uniform(-1, 1, (2, 3, *size)).astype(np.float32)


def computed(data, picture):
    return new_session(data).run(["b"], {"a": picture})[0]


def pair(folder, name="x2"):
    """A bundle with both files; returns their paths."""
    (folder / name).mkdir(parents=True)
    faithful = folder / name / f"{name}.onnx"
    for path, seed in ((faithful, 0), (perceptual_of(faithful), 1)):
        path.write_bytes(model_of(weights(seed), name=path.stem).SerializeToString())
        with_sidecar(path)
    return faithful, perceptual_of(faithful)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return pair(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Approvals stay where they are, mixes go to a folder of this test."""
    monkeypatch.setattr(mixes, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "mixed"


# What comes out


@pytest.mark.parametrize("fidelity", [0.0, 0.1, 0.5, 0.73, 1.0])
def test_torch_makes_the_same_of_the_interpolated_weights(fidelity, both, cache):
    path = mix(*both, fidelity)
    made = OnnxRuntime(path, device="cpu").run({"a": noise()})["b"]
    expected = torch_network(interpolated(fidelity), noise())
    assert np.abs(made - expected).max() <= 1e-4
    blended = fidelity * torch_network(weights(0), noise()) + (1 - fidelity) * torch_network(weights(1), noise())
    swapped = torch_network(interpolated(1 - fidelity), noise())
    if 0 < fidelity < 1:  # controls: to mix the pictures, or the wrong way round, is something else
        assert np.abs(made - blended).max() > 1e-2
    if fidelity != 0.5:
        assert np.abs(made - swapped).max() > 1e-2


def test_the_ends_are_the_files_themselves(both, cache):
    assert [mix(*both, 1.0), mix(*both, 0)] == list(both)
    assert not cache.exists()


def test_half_precision_is_mixed_in_higher(both):
    data = [model_of(weights(seed), np.float16, precision="fp16").SerializeToString() for seed in (0, 1)]
    model = load_model_from_string(mixed(*data, 0.3))
    for tensor in model.graph.initializer:
        made, (one, other) = numpy_helper.to_array(tensor), (weights(seed)[tensor.name] for seed in (0, 1))
        assert made.dtype == np.float16
        halves = one.astype(np.float16).astype(float), other.astype(np.float16).astype(float)
        np.testing.assert_array_equal(made, (0.3 * halves[0] + 0.7 * halves[1]).astype(np.float16))
    made = computed(mixed(*data, 0.3), noise())
    assert np.abs(made - torch_network(interpolated(0.3), noise())).max() <= 5e-3


def test_what_does_not_differ_stays_bit_by_bit():
    model, other = model_of(weights(0)), model_of(weights(1))
    shared = np.array([0.1, 1e-30, 3e38] + [7.7] * 5, np.float32)
    for each in (model, other):
        next(t for t in each.graph.initializer if t.name == "bias").CopyFrom(numpy_helper.from_array(shared, "bias"))
    data = mixed(model.SerializeToString(), other.SerializeToString(), 1 / 3)
    kept = next(t for t in load_model_from_string(data).graph.initializer if t.name == "bias")
    assert numpy_helper.to_array(kept).tobytes() == shared.tobytes()


@pytest.mark.slow
def test_two_exports_of_one_network_can_be_mixed():
    """Our own exporter writes the same graph for the same network, whatever its weights."""
    networks = [EnlargerConfig(width=8, blocks=1).build(3, 2) for _ in range(3)]
    for network in networks[:2]:
        network.apply(lambda part: [torch.nn.init.normal_(each, 0, 0.1) for each in part.parameters(recurse=False)])
    with torch.no_grad():
        for made, one, other in zip(*(network.parameters() for network in (networks[2], *networks[:2])), strict=True):
            made.copy_(0.7 * one + 0.3 * other)
    deploys = [enlargement(network.eval(), (Picture(name="a"),), (Picture(name="b"),)) for network in networks[:2]]
    data = [to_onnx(each, card_of(each)).SerializeToString() for each in deploys]
    with torch.no_grad():
        expected = networks[2](torch.from_numpy(noise())).numpy()
    assert np.abs(computed(mixed(*data, 0.7), noise()) - expected).max() <= 1e-4


def card_of(deploy):
    ports = {"inputs": deploy.inputs, "outputs": deploy.outputs}
    return Card(task=deploy.task, method="m", name="n", scale=deploy.scale, **ports)


def test_the_card_says_what_it_is_and_no_more():
    rules = SizeRule(at_least_px=8), SizeRule(at_least_px=24)
    ones = [
        model_of(
            weights(seed),
            name=f"x2{'-gan' * seed}",
            licence=("CC0", "CC-BY")[seed],
            tiling=("exact", "forbidden")[seed],
            metrics={"psnr": 30.0},
            parity={"difference": 1e-6},
            inputs=(Picture(name="a", size=rules[seed]),),
        ).SerializeToString()
        for seed in (0, 1)
    ]
    metadata = load_model_from_string(mixed(*ones, 0.25)).metadata_props
    card = Card.from_json(next(entry.value for entry in metadata if entry.key == "pixturn.card"))
    assert (card.name, card.licence, card.tiling) == ("x2-fidelity-0.25", "CC0; CC-BY", "forbidden")
    assert (card.metrics, card.parity, card.inputs[0].size.at_least_px) == ({}, {}, 24)


@pytest.mark.parametrize("seeds", [(0, 1), (1, 0)])
def test_a_mix_takes_sizes_that_both_networks_take(seeds):
    rules = SizeRule(multiple_of_px=4), SizeRule(multiple_of_px=6)
    models = [model_of(weights(seed), inputs=(Picture(name="a", size=rules[seed]),)) for seed in seeds]
    ones = [model.SerializeToString() for model in models]
    metadata = load_model_from_string(mixed(*ones, 0.5)).metadata_props
    multiple = Card.from_json(next(entry.value for entry in metadata if entry.key == "pixturn.card")).inputs[0].size
    assert all(multiple.multiple_of_px % rule.multiple_of_px == 0 for rule in rules)
    assert multiple.multiple_of_px == 12


# What is refused


def shorter(model):
    del model.graph.node[1]
    model.graph.node[1].input[0] = "y"


def with_tensor(model, name, value):
    found = next((t for t in model.graph.initializer if t.name == name), None) or model.graph.initializer.add()
    found.CopyFrom(numpy_helper.from_array(value, name))


DIFFERENT = {
    "operators": (shorter, "4 operators and the other 3"),
    "another operator": (lambda m: setattr(m.graph.node[1], "op_type", "Elu"), "LeakyRelu in one and Elu"),
    "setting": (lambda m: setattr(m.graph.node[1].attribute[0], "f", 0.1), r"operator 1 \(LeakyRelu\) has other"),
    "shape": (lambda m: with_tensor(m, "bias", np.zeros(9, np.float32)), "'bias' is 8 FLOAT in one and 9 FLOAT"),
    "type": (lambda m: with_tensor(m, "bias", np.zeros(8)), "'bias' is 8 FLOAT in one and 8 DOUBLE"),
    "one more": (lambda m: with_tensor(m, "more", np.zeros(1)), "only one of them has the tensor 'more'"),
    "inputs": (lambda m: setattr(m.graph.input[0], "name", "c"), "inputs or outputs differ"),
    "version": (lambda m: setattr(m.opset_import[0], "version", 17), "different versions"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_strangers_are_refused(case):
    change, words = DIFFERENT[case]
    other = model_of(weights(1))
    change(other)
    with pytest.raises(ModelError, match=f"not of one network: .*{words}"):
        mixed(model_of(weights(0)).SerializeToString(), other.SerializeToString(), 0.5)


@pytest.mark.parametrize("changes", [{"task": "translate"}, {"scale": 3}, {"precision": "fp16"}, {"pixels": True}])
def test_cards_that_disagree_are_refused(changes):
    pair_of = model_of(weights(0)), model_of(weights(1), **changes)
    with pytest.raises(ModelError, match="their cards say"):
        mixed(*(model.SerializeToString() for model in pair_of), 0.5)


def test_whole_numbers_are_not_mixed():
    ones = [model_of(weights(seed)) for seed in (0, 1)]
    for seed, model in enumerate(ones):
        with_tensor(model, "table", np.array([1, seed], np.int8))
    with pytest.raises(ModelError, match=r"INT8.*cannot be mixed"):
        mixed(*(model.SerializeToString() for model in ones), 0.5)


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_file_is_refused_before_it_is_parsed(which, tmp_path, cache):
    paths = pair(tmp_path)
    data = bytearray(paths[which].read_bytes())
    data[len(data) // 2] ^= 1
    paths[which].write_bytes(data)
    with pytest.raises(ModelError, match="damaged or another file"):
        mix(*paths, 0.5)


def test_foreign_files_are_refused_in_the_child(tmp_path, cache):
    faithful, perceptual = pair(tmp_path)
    foreign = graph_of([helper.make_node("Neg", ["a"], ["b"])], [("a",)], [("b",)])
    with_sidecar(saved(perceptual, foreign, text=None))
    with pytest.raises(ModelError, match="has no card"):
        mix(faithful, perceptual, 0.5)


@pytest.mark.parametrize("fidelity", [-0.01, 1.01, float("nan"), float("inf")])
def test_fidelities_that_are_none(fidelity, both):
    with pytest.raises(ConfigurationError, match="choose 0"):
        mix(*both, fidelity)


# Where it is kept


def test_it_is_kept_whole_with_its_hash_and_made_once(both, cache):
    path = mix(*both, 0.5)
    assert path.parent.parent == cache
    assert read_model(path).has_known_hash
    manifest = json.loads((path.parent / "manifest.json").read_text())["files"]
    assert {name: entry["bytes"] for name, entry in manifest.items()} == {
        each.name: each.stat().st_size for each in path.parent.iterdir() if each.name != "manifest.json"
    }
    before = path.stat().st_ino
    assert mix(*both, 0.5) == path
    assert path.stat().st_ino == before
    assert mix(*both, 0.25) != path


@pytest.mark.parametrize("damage", ["flipped", "no hash", "no file"])
def test_a_damaged_mix_is_made_anew(damage, both, cache):
    path = mix(*both, 0.5)
    whole = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    else:
        (path if damage == "no file" else path.with_name(f"{path.name}.sha256")).unlink()
    assert mix(*both, 0.5).read_bytes() == whole
    assert read_model(path).has_known_hash
    assert [each.name for each in cache.iterdir()] == [path.parent.name]


def test_other_weights_make_another_mix(tmp_path, cache):
    faithful, perceptual = pair(tmp_path)
    first = mix(faithful, perceptual, 0.5)
    perceptual.write_bytes(model_of(weights(2)).SerializeToString())
    with_sidecar(perceptual)
    assert mix(faithful, perceptual, 0.5) != first


def test_few_are_kept_and_the_latest_used_among_them(cache):
    for number in range(mixes.MOST + 3):
        mixes.kept_mix(f"key{number}", "m.onnx", lambda: b"model")
        os.utime(cache / f"key{number}", (number, number))
        mixes.kept_mix("key0", "m.onnx", lambda: pytest.fail("it is there"))
    assert {each.name for each in cache.iterdir()} == {"key0", *(f"key{n}" for n in range(4, mixes.MOST + 3))}


def test_what_a_killed_process_left_is_cleared_away(cache):
    for name, age_sec in ((".tmp-1-000000000000", 7200), (".tmp-2-000000000000", 0)):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (time.time() - age_sec,) * 2)
    mixes.kept_mix("key", "m.onnx", lambda: b"model")
    assert {each.name for each in cache.iterdir()} == {".tmp-2-000000000000", "key"}


@pytest.mark.parametrize("how", ["a file in the way", "no home"])
def test_without_a_cache_it_lies_in_a_temporary_folder(how, both, cache, tmp_path, monkeypatch):
    if how == "no home":
        monkeypatch.setattr(mixes, "cache_folder", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    else:
        cache.parent.write_text("in the way")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))  # so that nothing has to be removed from the real one
    path = mix(*both, 0.5)
    assert path.is_relative_to(temporary)
    assert not path.is_relative_to(cache.parent)
    assert read_model(path).has_known_hash


RACER = """
import sys, time
from pathlib import Path
from pipelines.mixes import kept_mix
from translate.runtime.integrity import read_model
while time.time() < float(sys.argv[1]): pass
for number in range(12):
    path = kept_mix(f"key{number}", "m.onnx", lambda: b"model" * 1000)
    assert read_model(path).has_known_hash and "cache" in str(path), path
"""


def test_processes_that_make_the_same_at_once(tmp_path):
    environment = {**os.environ, "PIXTURN_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", RACER, str(time.time() + 3)]
    racers = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    for racer in racers:
        _, told = racer.communicate(timeout=100)
        assert racer.returncode == 0, told.decode()
    assert {each.name for each in (tmp_path / "cache" / "mixed").iterdir()} == {f"key{n}" for n in range(12)}


# What users call


def test_load_and_the_command(both, cache, tmp_path, capsys):
    runs = both[0].parents[1]
    drawn(tmp_path / "a.png")
    expected = pipelines.load(mix(*both, 0.7), device="cpu")(pixels_of(0))
    mixture = pipelines.load("x2", fidelity=0.7, runs=runs, device="cpu")
    assert mixture.card.name == "x2-fidelity-0.7"
    assert mixture(pixels_of(0)).tobytes() == expected.tobytes()
    assert mixture(pixels_of(0)).tobytes() != pipelines.load("x2", runs=runs, device="cpu")(pixels_of(0)).tobytes()
    assert pipelines.load("x2", fidelity=0, runs=runs, device="cpu").card == peek_card(both[1])
    options = ["--fidelity", "0.7", "--runs", str(runs), "--device", "cpu", "-o"]
    for index, command in enumerate(("run", "upscale")):
        out = tmp_path / f"{index}.png"
        assert main([command, "x2", str(tmp_path / "a.png"), *options, str(out)]) == 0
        assert np.asarray(Image.open(out)).tobytes() == expected.tobytes()


def test_nothing_to_mix_with(tmp_path):
    alone = negative(tmp_path / "negative.onnx")
    with pytest.raises(ConfigurationError, match=r"no negative-perceptual.onnx beside it"):
        pipelines.load(alone, fidelity=0.5)
    with pytest.raises(ConfigurationError, match=r"is not a bundle or an .onnx file"):
        pipelines.load(tmp_path, fidelity=0.5)


def test_no_torch_is_needed(both, tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['onnxscript'] = None\n"
        "import pipelines\n"
        f"print(pipelines.load({str(both[0])!r}, fidelity=0.5, device='cpu').card.name)"
    )
    environment = {**os.environ, "PIXTURN_CACHE": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout.strip() == "x2-fidelity-0.5", ended.stderr
