"""Networks of ncnn: the same numbers as its layers in torch, or a refusal."""

import hashlib

import numpy as np
import pytest
import torch
from ncnn_networks import Writer, every_layer
from PIL import Image

from pipelines.importing import ImportSettings, import_weights
from pipelines.importing.ncnn import from_ncnn
from pipelines.importing.ncnn_files import read_ncnn
from pipelines.load import load
from translate.errors import ModelError


def picture(height=9, width=14):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def apart(path, compute):
    network = from_ncnn(read_ncnn(path), str(path)).deploy.module.network
    with torch.inference_mode():
        return float((network(picture()) - compute(picture())).abs().max())


@pytest.mark.parametrize("bits", [16, 32])
def test_the_same_numbers_as_its_layers_in_torch(tmp_path, bits):
    to, compute = every_layer(bits)
    assert apart(to.write(tmp_path / "n.param"), compute) < 1e-5


@pytest.mark.parametrize(
    ("said", "instead"),
    [("-23310=1,2.0", "-23310=1,1.0"), ("-23301=3,1.0", "-23301=3,2.0"), ("0=3 1=2", "0=2 1=2")],
    ids=["slope", "factor", "filter"],
)
def test_the_control_other_parameters_make_other_numbers(tmp_path, said, instead):
    to, compute = every_layer()
    to.lines = [line.replace(said, instead) for line in to.lines]
    assert apart(to.write(tmp_path / "n.param"), compute) > 1e-3


def test_a_file_says_by_its_name_that_it_is_ncnns(tmp_path):
    every_layer()[0].write(tmp_path / "up.param").write_text("something else")
    (tmp_path / "up.pth").write_text("something else")
    with pytest.raises(ModelError, match="text file of ncnn"):
        import_weights([tmp_path / "up.param"], tmp_path / "up.onnx")
    with pytest.raises(ModelError, match="save or safetensors"):
        import_weights([tmp_path / "up.pth"], tmp_path / "up.onnx")


@pytest.mark.slow
def test_from_its_files_to_a_larger_picture(tmp_path):
    to, compute = every_layer(16)
    (written,) = import_weights([to.write(tmp_path / "up.param")], tmp_path / "up.onnx")
    digest = hashlib.sha256((tmp_path / "up.bin").read_bytes()).hexdigest()
    assert digest in written.card.data
    pixels = np.random.default_rng(0).integers(0, 256, (17, 22, 3), dtype=np.uint8)
    made = np.asarray(load(written.path, device="cpu")(Image.fromarray(pixels)), dtype=float)
    true = compute(torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255)[0].permute(1, 2, 0).clamp(0, 1) * 255
    assert made.shape == (34, 44, 3)
    assert np.abs(made - true.numpy()).max() < 0.51
    with pytest.raises(ModelError, match="SHA-256"):
        import_weights([tmp_path / "up.param"], tmp_path / "up.onnx", ImportSettings(sha256=("00",)))


def lines(change):
    def broken(path):
        to, _ = every_layer()
        to.lines = [change(line) for line in to.lines]
        to.write(path)

    return broken


def data(change):
    def broken(path):
        to, _ = every_layer()
        to.data = change(to.data)
        to.write(path)

    return broken


def text(change):
    def broken(path):
        every_layer()[0].write(path)
        path.write_text(change(path.read_text()))

    return broken


def alone(path):
    every_layer()[0].write(path)
    path.with_suffix(".bin").unlink()


def grey(path):
    to = Writer()
    to.layer("Input", [], ["data"])
    to.convolution("data", "out", 1, 1, 3)
    to.write(path)


REFUSED = {
    "a layer that nobody knows": (lines(lambda line: line.replace("PReLU", "Swish")), "is a Swish"),
    "a parameter that nobody knows": (lines(lambda line: line.replace("5=1 6", "5=1 8=1 6")), r"\[8\]"),
    "another activation": (lines(lambda line: line.replace("9=2", "9=3")), "activation 3"),
    "a product of two": (lines(lambda line: f"{line}0=2" if "BinaryOp" in line else line), "BinaryOp"),
    "a blob that nothing makes": (lines(lambda line: line.replace("1 1 a b", "1 1 z b")), "cannot be run"),
    "two outputs": (lines(lambda line: line.replace("2 1 i h out", "2 1 i g out")), "2 outputs"),
    "a number that is none": (lines(lambda line: line.replace("0=12", "0=x")), "damaged"),
    "a kernel that does not fit": (lines(lambda line: line.replace("6=96", "6=95")), "damaged"),
    "a line too few": (text(lambda said: said.replace("\n12 ", "\n13 ")), "should have 13"),
    "another file": (text(lambda said: said.replace("7767517", "PK")), "not a text file of ncnn"),
    "weights in 8 bits": (data(lambda said: b"\x38\x4b\x0d\0" + said[4:]), "8 bits"),
    "weights cut short": (data(lambda said: said[:-4]), "ends at byte"),
    "weights left over": (data(lambda said: said + b"\0\0\0\0"), "4 bytes more"),
    "no weights": (alone, "two files"),
    "a network of grey pictures": (grey, "cannot be run"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(tmp_path, case):
    write, reason = REFUSED[case]
    write(tmp_path / "n.param")
    with pytest.raises(ModelError, match=reason):
        from_ncnn(read_ncnn(tmp_path / "n.param"), "n.param")
