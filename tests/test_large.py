"""When a picture goes through a model in tiles; and that no way to run a file needs torch."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from PIL import Image
from tiles import as_model, card_of, noise, resnet
from tiny_onnx import saved

import pipelines
import pipelines.large
from pipelines.cli import main
from pipelines.large import Tiles
from pipelines.tasks import Translate
from translate.errors import ConfigurationError, ModelError
from translate.export.pixels import bake
from translate.networks.unet import UNet
from translate.runtime.fake import FakeRuntime
from translate.runtime.onnx import OnnxRuntime
from translate.runtime.tiling import Tiled
from translate.runtime.tiling.plan import Plan

BLOCKED = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "kornia", "albumentations", "cv2"}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, NoTorch())
from pipelines.cli import main
sys.exit(main(sys.argv[1:]))
"""


def file_of(path, model, card):
    return saved(path, onnx.load_model_from_string(model), card.to_json())


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    model, card, _ = resnet("batch")
    return file_of(tmp_path_factory.mktemp("models") / "exact.onnx", model, card)


@pytest.fixture(scope="module")
def baked(tmp_path_factory):
    model, card, _ = resnet("batch")
    proto, baked_card = bake(onnx.load_model_from_string(model), card)
    return saved(tmp_path_factory.mktemp("models") / "baked.onnx", proto, baked_card.to_json())


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    model, card, _ = as_model(UNet(width=2, depth=3))
    return file_of(tmp_path_factory.mktemp("models") / "unet.onnx", model, card)


@pytest.fixture
def runs_in_tiles(monkeypatch):
    """How often a picture was cut."""
    calls = []
    real = Tiled.run

    def counted(self, *given, **named):
        calls.append(named)
        return real(self, *given, **named)

    monkeypatch.setattr(Tiled, "run", counted)
    return calls


def test_tiles_give_the_picture_that_the_whole_gives(exact, runs_in_tiles):
    picture = noise(150, 170)
    expected = np.asarray(pipelines.load(exact, device="cpu")(picture))
    assert not runs_in_tiles
    made = np.asarray(pipelines.load(exact, device="cpu", tiles=Tiles(tile_px=64))(picture))
    assert len(runs_in_tiles) == 1
    assert np.array_equal(made, expected)
    assert np.ptp(made) > 50


@pytest.mark.parametrize(("most_bytes", "cuts"), [(10_000, 1), (10**12, 0)])
def test_what_would_take_too_much_memory_is_cut_without_being_asked(
    exact, runs_in_tiles, monkeypatch, most_bytes, cuts
):
    monkeypatch.setattr(pipelines.large, "_CONSIDERED_PX", 100)
    monkeypatch.setattr(pipelines.large, "_MOST_BYTES", most_bytes)
    pipelines.load(exact, device="cpu")(noise(70, 90))
    assert len(runs_in_tiles) == cuts


def test_what_cannot_be_cut_is_tried_as_a_whole_unless_tiles_were_asked_for(unet, monkeypatch):
    monkeypatch.setattr(pipelines.large, "_CONSIDERED_PX", 100)
    monkeypatch.setattr(pipelines.large, "_MOST_BYTES", 1)
    assert pipelines.load(unet, device="cpu")(noise(70, 90)).size == (90, 70)
    with pytest.raises(ModelError, match="U-Net"):
        pipelines.load(unet, device="cpu", tiles=Tiles(tile_px=64))(noise(70, 90))


def test_a_runtime_without_tiles_says_what_to_do():
    with pytest.raises(ConfigurationError, match="pixturn export"):
        Translate(FakeRuntime(card_of()), Tiles(tile_px=16))(noise(70, 90))


def test_a_large_picture_on_a_run_is_told_of_once(monkeypatch, caplog):
    monkeypatch.setattr(pipelines.large, "_CONSIDERED_PX", 100)
    monkeypatch.setattr(pipelines.large, "_TOLD_PX", 6300)
    run = Translate(FakeRuntime(card_of()))
    run(noise(70, 89))
    assert caplog.text == ""
    run(noise(70, 90))
    run(noise(70, 90))
    assert caplog.text.count("pixturn export") == 1


def test_one_picture_is_planned_once(exact, monkeypatch):
    planned = []
    real = Plan.__init__
    monkeypatch.setattr(Plan, "__init__", lambda self, *given: planned.append(1) or real(self, *given))
    monkeypatch.setattr(pipelines.large, "_CONSIDERED_PX", 100)
    monkeypatch.setattr(pipelines.large, "_MOST_BYTES", 1)
    translate = pipelines.load(exact, device="cpu")
    translate(noise(70, 90))
    translate(noise(70, 90, seed=1))
    assert len(planned) == 1
    translate(noise(90, 70))
    assert len(planned) == 2


def test_the_ending_of_a_model_may_be_upper_case(exact, tmp_path):
    path = tmp_path / "EXACT.ONNX"
    path.write_bytes(exact.read_bytes())
    assert pipelines.load(path, device="cpu").device == "cpu"


def test_a_file_that_was_changed_since_is_refused(exact, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(exact.read_bytes())
    runtime = OnnxRuntime(path, device="cpu")
    path.write_bytes(exact.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="changed"):
        runtime.tiled()


def test_progress_is_told_to_the_last_tile(exact):
    told = []
    tiles = Tiles(tile_px=64, progress=lambda done, total: told.append((done, total)))
    pipelines.load(exact, device="cpu", tiles=tiles)(noise(70, 190))
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))


def test_the_command_in_tiles(exact, tmp_path, runs_in_tiles, capsys):
    Image.fromarray(noise(150, 170)).save(tmp_path / "in.png")
    for name, more in (("whole.png", []), ("tiles.png", ["--tile-px", "64", "--scratch", str(tmp_path)])):
        assert main(["run", str(exact), str(tmp_path / "in.png"), "-o", str(tmp_path / name), *more]) == 0
    assert [call["scratch"] for call in runs_in_tiles] == [tmp_path]
    assert "Tiles" in capsys.readouterr().err
    assert (tmp_path / "whole.png").read_bytes() == (tmp_path / "tiles.png").read_bytes()


@pytest.mark.parametrize("kind", ["a picture", "a folder", "tiles", "pixels"])
def test_no_way_to_run_a_file_needs_torch(exact, baked, tmp_path, kind):
    (tmp_path / "in").mkdir()
    Image.fromarray(noise(90, 70)).save(tmp_path / "in" / "a.png")
    model = baked if kind == "pixels" else exact
    given = tmp_path / "in" if kind == "a folder" else tmp_path / "in" / "a.png"
    out = tmp_path / "out" if kind == "a folder" else tmp_path / "out.png"
    more = ["--tile-px", "64"] if kind == "tiles" else []
    command = [sys.executable, "-c", BLOCKED, "run", str(model), str(given), "-o", str(out), *more]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    assert out.exists()


@pytest.mark.parametrize(("room_for", "calls"), [(2.5, 1), (1.5, 2)])
def test_pictures_that_fit_alone_but_not_together_go_one_by_one(exact, monkeypatch, room_for, calls):
    translate = pipelines.load(exact, device="cpu")
    need = translate._large._possible.need(70, 90).whole_bytes
    monkeypatch.setattr(pipelines.large, "_CONSIDERED_PX", 100)
    monkeypatch.setattr(pipelines.large, "_MOST_BYTES", room_for * need)
    seen = []
    real = OnnxRuntime.run
    monkeypatch.setattr(OnnxRuntime, "run", lambda self, inputs: seen.append(1) or real(self, inputs))
    assert len(translate.batch([noise(70, 90), noise(70, 90, seed=1)])) == 2
    assert len(seen) == calls
