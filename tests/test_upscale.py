"""Upscaling: size, profile, orientation and alpha of what comes out, where it goes, and what `pixturn list` tells."""

import numpy as np
import pytest
from folder_models import drawn, files, pixels_of, read
from PIL import Image, ImageCms
from tiny_onnx import negative
from tiny_tasks import upscaler

import pipelines
from pipelines.cli import main
from pipelines.exporting.contract import commands, purpose
from pipelines.large import Tiles
from pipelines.tasks import Upscale
from translate.card import SizeRule
from translate.data.carried import Carried
from translate.runtime.peek import peek_card

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of runs with the bundles x2 and x4, which repeat pixels."""
    runs = tmp_path_factory.mktemp("runs")
    for scale in (2, 4):
        (runs / f"x{scale}").mkdir()
        rule = SizeRule(multiple_of_px=4, at_least_px=8)
        upscaler(runs / f"x{scale}" / f"x{scale}.onnx", scale, size=rule)
    return runs


def enlarged(pixels, scale):
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def run(folder, *arguments):
    return main(["upscale", *map(str, arguments), "--runs", str(folder), "--device", "cpu"])


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (16, 8)])
def test_exactly_so_much_larger_at_any_size(scale, size, folder):
    upscale = pipelines.load(f"x{scale}", runs=folder, device="cpu")
    assert isinstance(upscale, Upscale)
    np.testing.assert_array_equal(np.asarray(upscale(pixels_of(0, *size))), enlarged(pixels_of(0, *size), scale))


def test_in_tiles_too(folder):
    upscale = pipelines.load("x2", runs=folder, device="cpu", tiles=Tiles(tile_px=32))
    pixels = pixels_of(0, 70, 90)
    assert upscale._large.wants(70, 90)
    np.testing.assert_array_equal(np.asarray(upscale(pixels)), enlarged(pixels, 2))


def test_beside_the_picture_and_never_over_another(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pixels = drawn(tmp_path / "a.png")
    assert run(folder, "x2", "a.png") == 0
    assert "a.x2.png (cpu)" in capsys.readouterr().out
    np.testing.assert_array_equal(read("a.x2.png"), enlarged(pixels, 2))
    (tmp_path / "a.x2.png").write_bytes(b"mine")
    assert run(folder, "x2", "a.png") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "a.x2.png is there already" in told
    assert (tmp_path / "a.x2.png").read_bytes() == b"mine"
    assert run(folder, "x2", "a.png", "-o", "a.x2.png") == 0
    assert run(folder, "x4", "a.png", "--format", "webp") == 0
    np.testing.assert_array_equal(read("a.x4.webp"), enlarged(pixels, 4))
    assert run(folder, "x4", "a.png", "-o", "a.png") == 2
    assert set(files(tmp_path)) == {"a.png", "a.x2.png", "a.x4.webp"}


def test_a_folder(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = [drawn(tmp_path / "in" / place, index) for index, place in enumerate(("a.png", "deep/b.png"))]
    assert run(folder, "x2", "in/") == 0
    assert run(folder, "x2", "in") == 0  # goes on, and finds nothing to do
    made = files(tmp_path / "in.x2")
    assert set(made) == {"a.png", "deep/b.png"}
    for path, each in zip(made.values(), pixels, strict=True):
        np.testing.assert_array_equal(read(path), enlarged(each, 2))
    monkeypatch.chdir(tmp_path / "in")
    assert run(folder, "x4", ".") == 0
    assert set(files(tmp_path / "in.x4")) == {"a.png", "deep/b.png"}


def lanczos(alpha, scale):
    """The kernel sinc(x) sinc(x / 3) in double precision, rounded once."""

    def along(length):
        at = (np.arange(length * scale)[:, None] + 0.5) / scale - (np.arange(length)[None] + 0.5)
        weights = np.where(np.abs(at) < 3, np.sinc(at) * np.sinc(at / 3), 0)
        return weights / weights.sum(axis=1, keepdims=True)

    height, width = alpha.shape
    return np.clip(along(height) @ alpha @ along(width).T, 0, 255)


@pytest.mark.parametrize("scale", [2, 4])
def test_alpha_is_enlarged_and_profile_and_orientation_are_kept(scale, folder, tmp_path):
    pixels, alpha = pixels_of(0), 60 + pixels_of(1, channels=1) // 2  # Pillow clips between its directions
    exif = Image.Exif()
    exif[0x0112] = 3
    stored = Image.fromarray(np.dstack([pixels, alpha])).rotate(180)
    stored.save(tmp_path / "a.png", exif=exif, icc_profile=PROFILE)
    assert run(folder, f"x{scale}", tmp_path / "a.png") == 0
    with Image.open(tmp_path / f"a.x{scale}.png") as image:
        assert image.info["icc_profile"] == PROFILE
        made = np.asarray(image)
    assert np.abs(made[..., 3] - lanczos(alpha, scale)).max() <= 1.5  # and rounds
    on_white = np.rint((pixels * (alpha / 255.0)[..., None]) + 255 - alpha[..., None])
    cover = made[..., 3:] / 255.0  # the alpha between two pixels lets less through than the model made
    reachable = np.maximum(enlarged(on_white, scale), 255 - made[..., 3:].astype(int))
    assert np.abs(made[..., :3] * cover + 255 * (1 - cover) - reachable).max() <= 1.5
    assert run(folder, f"x{scale}", tmp_path / "a.png", "--alpha", "white", "-o", tmp_path / "b.png") == 0
    assert read(tmp_path / "b.png").shape == (6 * scale, 9 * scale, 3)


def test_half_transparent_colours_are_not_washed(folder, tmp_path):
    """Two levels off at half cover, where the picture on white keeps half of the levels."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:] = 255, 0, 30, 128
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert run(folder, "x2", tmp_path / "a.png") == 0
    assert np.abs(read(tmp_path / "a.x2.png").astype(int) - (255, 0, 30, 128)).max() <= 1


def test_alpha_goes_with_no_size_but_the_scales():
    """Broken control: a picture that was extended to twice its size is not an enlarged one."""
    carried = Carried(alpha=pixels_of(1, channels=1))
    made = pixels_of(0, 12, 18)
    assert carried.with_alpha(made, scale=2).shape == (12, 18, 4)
    assert carried.with_alpha(made).shape == (12, 18, 3)
    assert carried.with_alpha(made, scale=4).shape == (12, 18, 3)


def test_a_model_of_another_task_is_refused(folder, tmp_path, capsys):
    drawn(tmp_path / "a.png")
    assert run(folder, negative(tmp_path / "negative.onnx"), tmp_path / "a.png") == 2
    assert "'translate': use pixturn run" in " ".join(capsys.readouterr().err.split())


def test_its_page(folder):
    card = peek_card(folder / "x4" / "x4.onnx")
    text = " ".join([purpose(card), *commands("x4.onnx", card)])
    assert "4 times as high and wide" in text
    assert "pixturn upscale x4.onnx picture.png" in text


# What is listed


def test_the_list_tells_tasks(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("x2", "broken"):
        (tmp_path / name).mkdir()
    upscaler(tmp_path / "x2" / "x2.onnx")
    upscaler(tmp_path / "x2" / "x2-perceptual.onnx")
    (tmp_path / "broken" / "broken.onnx").write_bytes(b"\x3a\xff")
    assert main(["list", "--runs", str(tmp_path)]) == 0
    assert main(["list", "--runs", str(folder)]) == 0
    out = capsys.readouterr().out
    lines = {words[1]: line for line in out.splitlines() if len(words := line.split()) > 2 and words[0] == "│"}
    assert "upscale x4" in lines["x4"]
    assert "no card" in lines["broken"]
    assert ["--fidelity" in line for line in out.splitlines() if "x2 " in line] == [True, False]


def test_a_card_is_found_without_the_graph(folder, tmp_path):
    path = folder / "x2" / "x2.onnx"
    assert peek_card(path) == pipelines.load(path, device="cpu").card
    data = path.read_bytes()
    graph_gone = tmp_path / "damaged.onnx"
    start = data.index(b"Resize")
    graph_gone.write_bytes(data[:start] + bytes(6) + data[start + 6 :])
    assert peek_card(graph_gone) == peek_card(path)
    random = np.random.default_rng(0)
    for length in range(0, len(data), 7):
        (tmp_path / "cut.onnx").write_bytes(data[:length])
        assert peek_card(tmp_path / "cut.onnx") is None
        (tmp_path / "noise.onnx").write_bytes(random.bytes(50))
        assert peek_card(tmp_path / "noise.onnx") is None
    assert peek_card(tmp_path / "nothing.onnx") is None
