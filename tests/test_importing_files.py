"""What an import writes: the file computes what their network does, to 1e-5; beside it lies a page that says so."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from reference_generators import as_their_test_script, resnet, unet

from pipelines.importing import USUAL, Form, ImportSettings, Origin, import_weights
from pipelines.load import load
from translate.errors import ConfigurationError
from translate.export.bars import BARS
from translate.runtime.onnx import OnnxRuntime

CLOSE = 1e-5
"""In float32, at sizes that people use; the proof's own bar of 1e-4 holds from the least size on."""


def imported(tmp_path, network, **how):
    torch.save(network.state_dict(), tmp_path / "net_G.pth")
    (written,) = import_weights([tmp_path / "net_G.pth"], tmp_path / "out" / "net.onnx", ImportSettings(**how))
    return written


def apart(written, network, side):
    given = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(3)) * 2 - 1
    with torch.no_grad():
        theirs = np.concatenate([network(one[None]).numpy() for one in given])
    made = OnnxRuntime(written.path, device="cpu").run({written.card.inputs[0].name: given.numpy()})
    assert theirs.std() > 0.05
    return float(np.abs(made[written.card.outputs[0].name] - theirs).max())


def calm():
    """A network whose last layer speaks softly, as trained ones do; a lively one is beyond int8."""
    network = resnet(width=8)
    network.model[-2].weight.data *= 0.3
    return network


def real_pictures(folder, count=4):
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        coarse.resize((96, 80), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return folder


def test_the_file_gives_their_numbers_to_1e_5_and_its_page_says_what_is_known(tmp_path):
    network = resnet(norm="batch", dropout=True)
    written = imported(tmp_path, network, origin=Origin(data="facades"))
    theirs = as_their_test_script(network)
    for side in (32, 64, 256):
        assert apart(written, theirs, side) <= CLOSE
    assert apart(written, as_their_test_script(network, evaluation=True), 64) > 0.05  # the control
    assert written.card.parity[USUAL] <= CLOSE

    page = written.page.read_text()
    assert written.page.name == "README.md"
    for said in ("facades", "resnet_2blocks", "unknown: ask", "made-up pictures", "BSD", "--eval", "whole-picture"):
        assert said in page
    assert f"{written.card.parity['difference']:.3g}" in page
    sheet = Image.open(tmp_path / "out" / "net.samples.png")
    assert sheet.size == (2 * 192 + 4, 3 * 192 + 2 * 4)
    assert len(np.unique(np.asarray(sheet))) > 100
    assert {path.name for path in written.path.parent.iterdir()} == {
        "net.onnx",
        "net.onnx.sha256",
        "net.samples.png",
        "README.md",
        "manifest.json",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "side"),
    [
        (lambda: resnet(blocks=9, width=64), 64),
        (lambda: resnet(blocks=6, width=64, antialias=(True, True)), 64),
        (lambda: unet(depth=7, width=64), 128),
        (lambda: unet(depth=8, width=64, norm="instance"), 256),
    ],
)
def test_published_widths_give_their_numbers_to_1e_5(network, side, tmp_path):
    made = network()
    written = imported(tmp_path, made)
    assert apart(written, as_their_test_script(made), side) <= CLOSE
    assert written.card.parity[USUAL] <= CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_precisions_keep_their_bars(precision, tmp_path):
    network, pictures = calm(), real_pictures(tmp_path / "pictures")
    written = imported(tmp_path, network, form=Form(precision=precision), pictures=pictures)
    assert written.card.precision == precision
    assert written.card.parity["psnr_db"] >= BARS[precision].psnr_db
    assert USUAL not in written.card.parity
    assert "made-up" not in written.page.read_text()
    difference = apart(written, network, 64)
    assert difference > 1e-5  # the control: it is not the float32 file
    assert difference <= BARS[precision].difference


@pytest.mark.slow
def test_pixels_go_in_and_come_out(tmp_path):
    network = resnet()
    plain = imported(tmp_path, network)
    shown = np.random.default_rng(0).integers(0, 256, (37, 50, 3), dtype=np.uint8)
    expected = np.asarray(load(plain.path, device="cpu")(shown)).astype(int)
    baked = imported(tmp_path, network, form=Form(pixels=True))
    assert (baked.card.pixels, baked.card.tiling) == (True, "forbidden")
    made = OnnxRuntime(baked.path, device="cpu").run({"a": shown[None]})["b"][0]
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert baked.card.parity["pixels_levels"] <= 1


def test_int8_wants_real_pictures(tmp_path):
    how = ImportSettings(form=Form(precision="int8"))
    with pytest.raises(ConfigurationError, match="--pictures"):
        import_weights([tmp_path / "net_G.pth"], tmp_path / "net.onnx", how)
    torch.save(resnet(blocks=1).state_dict(), tmp_path / "net_G.pth")
    with pytest.raises(ConfigurationError, match="no pictures"):
        import_weights([tmp_path / "net_G.pth"], tmp_path / "net.onnx", replace(how, pictures=tmp_path))
