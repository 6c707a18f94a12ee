"""One changed bit, of a model or of the hash beside it, is refused before any parser sees it."""

import hashlib
import os
import random
import shutil
import subprocess
import time

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from tiny_onnx import graph_of, negative, saved, with_sidecar

from translate.errors import ModelError
from translate.runtime import probation
from translate.runtime.integrity import read_model, sidecar
from translate.runtime.onnx import OnnxRuntime

FLIPS = 2000
CUTS = 500


@pytest.fixture
def model(tmp_path):
    """A convolution with 5,000 weights, and its hash beside it."""
    kernel = np.random.default_rng(0).standard_normal((3, 3, 23, 23)).astype(np.float32)
    nodes = [helper.make_node("Conv", ["a", "w"], ["b"], pads=[11] * 4)]
    network = graph_of(nodes, [("a",)], [("b",)], [numpy_helper.from_array(kernel, "w")])
    return with_sidecar(saved(tmp_path / "model.onnx", network))


@pytest.fixture
def seen(monkeypatch):
    """Whatever any parser, or the child, is shown."""
    shown = []
    monkeypatch.setattr(onnx, "load_model_from_string", lambda *given: shown.append("onnx"))
    monkeypatch.setattr(onnx.checker, "check_model", lambda *given, **more: shown.append("checker"))
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *given, **more: shown.append("onnxruntime"))
    monkeypatch.setattr(probation, "_started", lambda *given: shown.append("child"))
    return shown


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def parts(model):
    """The short one first."""
    return [(path, path.read_bytes()) for path in (sidecar(model), model)]


# Chance: flips and cuts


def test_one_flipped_bit_is_refused_before_any_parser_sees_it(model, seen):
    """Of the model and of the hash beside it; a checkpoint's are in test_storage."""
    draw = random.Random(6)
    refused = 0
    for path, data in parts(model):
        with path.open("r+b", buffering=0) as file:  # writing in place: a file made anew takes 5 ms
            for _ in range(FLIPS // 2):
                bit = draw.randrange(8 * len(data))
                put(file, bit // 8, flipped(data, bit)[bit // 8])
                with pytest.raises(ModelError, match=path.name):
                    OnnxRuntime(model, device="cpu")
                put(file, bit // 8, data[bit // 8])
                refused += 1
    assert (refused, seen) == (FLIPS, [])
    assert read_model(model).has_known_hash  # what was flipped twice is whole


def put(file, place, number):
    file.seek(place)
    file.write(bytes([number]))


def test_a_file_that_was_cut_short_is_refused_before_any_parser_sees_it(model, seen):
    refused = 0
    for path, data in parts(model):
        for length in shorter(len(data), CUTS - refused):
            os.truncate(path, length)
            with pytest.raises(ModelError, match=path.name):
                OnnxRuntime(model, device="cpu")
            refused += 1
        path.write_bytes(data)
    assert refused >= CUTS
    assert seen == []


def shorter(length, count):
    """`count` lengths from `length` - 1 down to 0; fewer where there are not so many."""
    return reversed(range(0, length, max(1, length // count)))


def test_control_the_spies_see_a_whole_file(model, seen):
    with pytest.raises(Exception):  # noqa: B017, PT011 - the fakes give nothing to go on with
        OnnxRuntime(model, device="cpu")
    assert seen


def test_control_without_the_hash_flips_of_weights_pass_and_change_the_picture(model):
    """What ONNX Runtime alone does: 0 of 400 were refused when this was first measured."""
    data = model.read_bytes()
    first = data.index(onnx.load_model_from_string(data).graph.initializer[0].raw_data)
    picture = {"a": np.full((1, 3, 24, 24), 0.5, np.float32)}
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    truth = onnxruntime.InferenceSession(data, options).run(None, picture)[0]
    draw = random.Random(6)
    wrong = 0
    for _ in range(100):
        session = onnxruntime.InferenceSession(flipped(data, draw.randrange(8 * first, 8 * (first + 19_000))), options)
        wrong += not np.allclose(session.run(None, picture)[0], truth, atol=1e-4)
    assert wrong > 20


# The hash beside a model


def write_line(change):
    def tamper(path):
        sidecar(path).write_bytes(change(hashlib.sha256(path.read_bytes()).hexdigest(), path.name).encode())

    return tamper


def sidecar_is_a_folder(path):
    sidecar(path).unlink()
    sidecar(path).mkdir()


def sidecar_is_a_pipe(path):
    sidecar(path).unlink()
    os.mkfifo(sidecar(path))


def sidecar_leads_nowhere(path):
    sidecar(path).unlink()
    sidecar(path).symlink_to(path.parent / "nowhere")


def sidecar_leads_to_another(path):
    """The right form, the right name, and another file's hash, by a link."""
    sidecar(path).rename(path.parent / "elsewhere")
    (path.parent / "elsewhere").write_text(f"{'0' * 64}  {path.name}\n")
    sidecar(path).symlink_to(path.parent / "elsewhere")


def changed_by_its_other_name(path):
    """A hard link: the file is changed without being touched."""
    path.rename(path.parent / "other")
    path.hardlink_to(path.parent / "other")
    (path.parent / "other").write_bytes(b"harm")


def linked_to_another(path):
    path.unlink()
    (path.parent / "other").write_bytes(b"harm")
    path.symlink_to(path.parent / "other")


def swapped(path):
    """Another whole model under this name."""
    negative(path)


def model_is_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def model_is_missing(path):
    path.unlink()


SIDECARS = {
    "empty": write_line(lambda digest, name: ""),
    "hash alone": write_line(lambda digest, name: f"{digest}\n"),
    "capitals": write_line(lambda digest, name: f"{digest.upper()}  {name}\n"),
    "of another file": write_line(lambda digest, name: f"{digest}  other.onnx\n"),
    "case clash": write_line(lambda digest, name: f"{digest}  {name.upper()}\n"),
    "a path": write_line(lambda digest, name: f"{digest}  ../{name}\n"),
    "NUL": write_line(lambda digest, name: f"{digest}  {name}\0\n"),
    "300 characters": write_line(lambda digest, name: f"{digest}  {'a' * 300}\n"),
    "two lines": write_line(lambda digest, name: f"{digest}  {name}\n{digest}  {name}\n"),
    "two hashes": write_line(lambda digest, name: f"{'0' * 64}  {name}\n{digest}  {name}\n"),
    "endless": write_line(lambda digest, name: f"{digest}  {name}\n" + "x" * 100_000_000),
    "folder": sidecar_is_a_folder,
    "pipe": sidecar_is_a_pipe,
    "leads nowhere": sidecar_leads_nowhere,
    "leads to another": sidecar_leads_to_another,
    "hard link": changed_by_its_other_name,
    "link": linked_to_another,
    "swapped": swapped,
    "model is a pipe": model_is_a_pipe,
    "model is missing": model_is_missing,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", SIDECARS)
def test_a_hash_that_does_not_fit_is_refused_before_any_parser_sees_it(model, seen, name):
    SIDECARS[name](model)
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"model\.onnx") as refusal:
        OnnxRuntime(model, device="cpu")
    assert time.monotonic() - started < 0.5
    assert (refusal.value.exit_code, seen) == (4, [])


@pytest.mark.parametrize("place", ["a\0b.onnx", "a" * 300 + ".onnx"], ids=["NUL", "300 characters"])
def test_a_path_that_cannot_be_is_refused(tmp_path, place, seen):
    with pytest.raises(ModelError, match="cannot be read"):
        OnnxRuntime(tmp_path / place, device="cpu")
    assert seen == []


def test_without_a_hash_a_file_is_taken_and_says_so(model):
    assert read_model(model).has_known_hash
    sidecar(model).unlink()
    assert not read_model(model).has_known_hash
    assert not OnnxRuntime(model, device="cpu").has_known_hash


def test_a_missing_hash_is_told_of_once_a_model(model, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    OnnxRuntime(model, device="cpu")
    assert caplog.text == "", "there is a hash"
    shutil.rmtree(tmp_path / "cache")
    sidecar(model).unlink()
    for _ in range(2):
        OnnxRuntime(model, device="cpu")
    assert caplog.text.count("no hash to compare") == 1


def test_a_renamed_model_is_named_with_its_old_hash(model, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("PIXTURN_CACHE", str(tmp_path / "cache"))
    renamed = model.rename(model.with_name("renamed.onnx"))
    OnnxRuntime(renamed, device="cpu")
    assert f"rename {sidecar(model).name} to renamed.onnx.sha256" in caplog.text
    sidecar(model).rename(sidecar(renamed))
    with pytest.raises(ModelError, match=rf"is the hash of {model.name}, not of renamed\.onnx: .*sha256sum"):
        OnnxRuntime(renamed, device="cpu")


def test_what_sha256sum_writes_is_read(model):
    for options in ([], ["--binary"]):
        line = subprocess.run(["sha256sum", *options, model.name], cwd=model.parent, capture_output=True, check=True)
        sidecar(model).write_bytes(line.stdout)
        assert read_model(model).has_known_hash
