"""spandrel's architectures, one by one: imported with the tiling class that its page states, or refused."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from restoration_networks import EXACT, REFUSED, STATISTICS, WHOLE, swin
from rich.console import Console
from tiles import apart

from pipelines.exporting.material import OnPictures
from pipelines.importing import ImportSettings, Origin, import_weights
from pipelines.importing.pictures import made_up_pictures
from pipelines.importing.restoration import from_spandrel
from pipelines.importing.tiling import tiling_of
from pipelines.importing.windows import whole_numbers
from translate.errors import ModelError
from translate.export.graph import to_onnx

pytest.importorskip("spandrel")

BAR = 1e-4
USUAL = {"Compact", "ESRGAN", "SPAN", "DRUNet", "NAFNet", "SwinIR", "SwinIR, real", *STATISTICS}
"""Those that CI tries; the others take minutes together, and are tried before a release."""
CLASSES = [
    pytest.param(name, build, tiling, id=name, marks=pytest.mark.slow if name in USUAL else pytest.mark.release)
    for tiling, builds in (("exact", EXACT), ("whole-picture statistics", STATISTICS), ("forbidden", WHOLE))
    for name, build in builds.items()
]


def traced(build):
    found = from_spandrel(build().state_dict(), "f.pth")
    card = found.card("f", Origin(), "0")
    return found, to_onnx(found.deploy, card), card


def imported(build, tmp_path):
    torch.save(build().state_dict(), tmp_path / "f.pth")
    (written,) = import_weights([tmp_path / "f.pth"], tmp_path / "f.onnx", ImportSettings(source="spandrel"))
    return written


@pytest.mark.parametrize(("name", "build", "tiling"), CLASSES)
def test_imported_and_proven(name, build, tiling, tmp_path):
    written = imported(build, tmp_path)
    assert written.card.parity["difference"] <= BAR
    assert written.card.tiling == tiling
    assert f"Tiles: {tiling}." in written.page.read_text()


@pytest.mark.release
@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_nothing_written(name, tmp_path):
    with pytest.raises(ModelError):
        imported(REFUSED[name], tmp_path)
    assert not (tmp_path / "f.onnx").exists()


TILED = ["Compact", pytest.param("ESRGAN", marks=pytest.mark.slow), pytest.param("SPAN", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", TILED)
def test_tiles_of_an_exact_one_equal_the_whole_picture(name):
    _, model, card = traced({**EXACT, **STATISTICS}[name])
    tiling, why = tiling_of(model, card)
    card = replace(card, tiling=tiling)
    assert tiling == "exact"
    assert "px around" in why
    sample = made_up_pictures(card.input_pictures)[0]
    sample = {key: np.ascontiguousarray(pixels[:131, :97]) for key, pixels in sample.items()}
    assert apart(model.SerializeToString(), card, sample, tile_px=32) <= BAR


def at_both_batches(found, model, card):
    console = Console(quiet=True)
    samples = made_up_pictures(card.input_pictures)
    return OnPictures(deploy=found.deploy, card=card, samples=samples, usual_px=48, console=console).prove(model, card)


@pytest.mark.slow
def test_windows_are_right_for_every_batch_only_with_whole_numbers(monkeypatch):
    def build():
        return swin(upscale=2, upsampler="pixelshuffle")

    assert at_both_batches(*traced(build)).parity["difference"] <= BAR
    monkeypatch.setattr("pipelines.importing.windows._OURS", {})  # the control: as spandrel has it
    with pytest.raises(ModelError):
        at_both_batches(*traced(build))


def test_whole_numbers_are_taken_back():
    network = swin()
    home = importlib.import_module(type(network).__module__)
    theirs = home.window_reverse
    windows = torch.rand(2 * 3 * 4, 8, 8, 5)
    with whole_numbers(network):
        assert home.window_reverse is not theirs
        assert torch.equal(home.window_reverse(windows, 8, 24, 32), theirs(windows, 8, 24, 32))
    assert home.window_reverse is theirs
