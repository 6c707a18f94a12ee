"""Inpainting: what is known comes back bit by bit, what is to be filled is filled, by every way in."""

import numpy as np
import pytest
import torch
from folder_models import drawn, files, pixels_of, read
from PIL import Image, ImageCms
from rich.console import Console
from tiny import photograph
from tiny_onnx import negative
from tiny_tasks import FILL_LEVEL, filler

import pipelines
from pipelines.cli import main
from pipelines.exporting.contract import commands, contract, purpose
from pipelines.exporting.forms import in_precision, with_pixels
from pipelines.exporting.material import OnPictures
from pipelines.inpainting import Inpaint, Margins
from pipelines.large import Tiles
from pipelines.tasks import TASKS
from translate.card import Card, Mask, Picture, SizeRule
from translate.errors import ConfigurationError, ModelError, PictureError
from translate.export.session import ProtoRuntime
from translate.filling import Filled
from translate.method import Deploy
from translate.runtime.codec import codec_for
from translate.runtime.fake import FakeRuntime
from translate.runtime.synthetic import synthetic_sample

SIZE = (13, 17)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of runs with the bundle `inpaint`."""
    runs = tmp_path_factory.mktemp("runs")
    (runs / "inpaint").mkdir()
    filler(runs / "inpaint" / "inpaint.onnx", size=SizeRule(multiple_of_px=8, at_least_px=16))
    return runs


@pytest.fixture
def inpaint(folder):
    return pipelines.load("inpaint", runs=folder, device="cpu")


def mask_of(seed=0, size=SIZE):
    """Levels, half of them to be filled, with those next to the threshold among them."""
    levels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    levels[0, :4] = 127, 128, 0, 255
    return levels


def filled(pixels, levels):
    """What must come out, by the definition."""
    return np.where(levels[..., None] >= 128, np.uint8(FILL_LEVEL), pixels)


def picture(seed=1, channels=3):
    return pixels_of(seed, *SIZE, channels=channels)


# Python


def given(kind, pixels, levels, tmp_path):
    """A picture and its mask, as people have them."""
    image, mask = Image.fromarray(pixels), Image.fromarray(levels)
    if kind == "path":
        image.save(tmp_path / "a.png")
        mask.save(tmp_path / "mask.webp", lossless=True)
        return str(tmp_path / "a.png"), tmp_path / "mask.webp"
    ways = {
        "PIL": (image, mask),
        "array": (pixels, levels),
        "bool": (pixels, levels >= 128),
        "planes": (pixels, levels[..., None]),
        "1-bit": (image, Image.fromarray(levels >= 128)),
        "colour": (image, mask.convert("RGB")),
        "16-bit": (image, Image.fromarray(levels.astype(np.uint16) * 257)),
    }
    return ways[kind]


@pytest.mark.parametrize("kind", ["path", "PIL", "array", "bool", "planes", "1-bit", "colour", "16-bit"])
def test_what_is_known_stays_and_the_rest_is_filled(kind, inpaint, tmp_path):
    image, mask = given(kind, picture(), mask_of(), tmp_path)
    made = inpaint(image, mask)
    assert isinstance(inpaint, Inpaint)
    assert made.size == SIZE[::-1]
    np.testing.assert_array_equal(np.asarray(made), filled(picture(), mask_of()))


def test_the_model_alone_does_neither(inpaint):
    """The control: without the pipeline known pixels are lost, and what is in a hole is seen by the model."""
    sample = {"a": picture(), "mask": mask_of()[..., None]}
    codec = codec_for(inpaint.card)
    [alone] = codec.decode(inpaint._runtime.run(codec.encode([sample])), *SIZE)
    is_hole = mask_of() >= 128
    assert (alone["b"][~is_hole] == FILL_LEVEL).all()
    assert (alone["b"][is_hole] == picture()[is_hole]).mean() > 0.9


def test_a_batch_is_what_each_is_alone(inpaint):
    samples = [{"a": picture(seed), "mask": mask_of(seed)} for seed in range(3)]
    for made, sample in zip(inpaint.batch(samples), samples, strict=True):
        np.testing.assert_array_equal(made["b"], filled(sample["a"], sample["mask"]))


def test_in_tiles_too(folder):
    size = (150, 90)
    tiled = pipelines.load("inpaint", runs=folder, device="cpu", tiles=Tiles(tile_px=32))
    pixels, levels = pixels_of(1, *size), mask_of(1, size)
    assert tiled._large.wants(*size)
    np.testing.assert_array_equal(np.asarray(tiled(pixels, levels)), filled(pixels, levels))


def test_what_is_transparent_is_filled_where_there_is_no_mask(inpaint, tmp_path):
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[2:6, 3:9] = 0
    alpha[6, 3:9] = 254
    rgba = Image.fromarray(np.dstack([picture(), alpha]))
    rgba.save(tmp_path / "a.png")
    for image in (rgba, tmp_path / "a.png", np.asarray(rgba)):
        made = inpaint(image)
        assert made.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(made), filled(picture(), np.where(alpha < 255, 255, 0)))


def test_outpainting(inpaint):
    made = np.asarray(inpaint.outpaint(picture(), left=1, right=2, top=3, bottom=40))
    assert made.shape == (SIZE[0] + 43, SIZE[1] + 3, 3)
    inside = (slice(3, 3 + SIZE[0]), slice(1, 1 + SIZE[1]))
    np.testing.assert_array_equal(made[inside], picture())
    outside = np.ones(made.shape[:2], bool)
    outside[inside] = False
    assert (made[outside] == FILL_LEVEL).all()


def test_an_empty_mask_changes_nothing_and_says_so(inpaint, caplog):
    assert np.array_equal(np.asarray(inpaint(picture(), np.zeros(SIZE, bool))), picture())
    assert "marks nothing" in caplog.text


REFUSED = {
    "another size": (lambda: np.zeros((SIZE[1], SIZE[0]), bool), "sizes_differ", "mask is 13 x 17"),
    "0 and 1": (lambda: (mask_of() >= 128).astype(np.uint8), "dark_mask", "level of the mask is 1"),
    "red paint": (lambda: Image.new("RGB", SIZE[::-1], (255, 0, 0)), "dark_mask", "level of the mask is 76"),
    "transparent": (lambda: Image.new("LA", SIZE[::-1], (255, 7)), "transparent_mask", "without transparency"),
    "floats": (lambda: np.zeros(SIZE), "wrong_array", "float64"),
    "colours": (lambda: np.zeros((*SIZE, 3), np.uint8), "wrong_array", "13 x 17 x 3"),
    "no transparency": (lambda: None, "nothing_to_fill", "give a mask"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_masks_that_are_refused(case, inpaint):
    mask, reason, words = REFUSED[case]
    with pytest.raises(PictureError, match=words) as refusal:
        inpaint(Image.fromarray(picture()), mask())
    assert refusal.value.reason == reason


def test_margins_that_are_refused(inpaint):
    for margins in ({}, {"left": -1, "right": 5}):
        with pytest.raises(ConfigurationError, match="cannot be extended"):
            inpaint.outpaint(picture(), **margins)
    with pytest.raises(PictureError, match="megapixels"):
        inpaint.outpaint(picture(), left=100_000, top=100_000)


PORTS = {
    "no mask": {"inputs": (Picture(name="a"),)},
    "two masks": {"inputs": (Picture(name="a"), Mask(name="m"), Mask(name="n"))},
    "grey out of colours": {"outputs": (Picture(name="b", channels=1),)},
    "larger": {"scale": 2},
}


@pytest.mark.parametrize("case", PORTS)
def test_cards_that_are_no_inpainting(case):
    usual = {"inputs": (Picture(name="a"), Mask(name="mask")), "outputs": (Picture(name="b"),)}
    card = Card(task="inpaint", method="m", name="n", **{**usual, **PORTS[case]})
    with pytest.raises(ModelError, match="inpaint"):
        TASKS["inpaint"](FakeRuntime(card))


# The command


def run(folder, *arguments):
    return main(["inpaint", *map(str, arguments), "--runs", str(folder), "--device", "cpu"])


def test_a_picture_and_a_mask(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(picture()).save("a.jpg", quality=100)
    Image.fromarray(mask_of()).save("m.png")
    before = read("a.jpg")
    assert run(folder, "a.jpg", "--mask", "m.png") == 0
    assert "a.inpaint.png (cpu)" in capsys.readouterr().out
    np.testing.assert_array_equal(read("a.inpaint.png"), filled(before, mask_of()))
    assert run(folder, "a.jpg", "--mask", "m.png") == 2  # it is there
    assert "a.inpaint.png is there already" in "".join(capsys.readouterr().err.split("\n"))
    assert run(folder, folder / "inpaint" / "inpaint.onnx", "a.jpg", "--mask", "m.png", "-o", "b.tiff") == 0
    np.testing.assert_array_equal(read("b.tiff"), read("a.inpaint.png"))
    assert main(["run", "inpaint", "a.jpg", "m.png", "-o", "c.png", "--runs", str(folder), "--device", "cpu"]) == 0
    np.testing.assert_array_equal(read("c.png"), read("a.inpaint.png"))


def test_beyond_the_edges(folder, tmp_path):
    drawn(tmp_path / "a.png", 1, height=SIZE[0], width=SIZE[1])
    assert run(folder, tmp_path / "a.png", "--outpaint", 4, 0, 2, 1) == 0
    made = read(tmp_path / "a.outpaint.png")
    np.testing.assert_array_equal(made[2:-1, 4:], picture())
    assert made.shape == (SIZE[0] + 3, SIZE[1] + 4, 3)
    assert (made[:2] == FILL_LEVEL).all()


def test_profile_orientation_and_alpha(folder, tmp_path):
    """Upright before the mask is applied; and what was filled is not transparent any more."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = np.full(SIZE, 255, np.uint8)
    alpha[:6], alpha[-2:] = 0, 0
    upright = Image.fromarray(np.dstack([picture(), alpha]))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn to the left
    upright.rotate(90, expand=True).save(tmp_path / "a.png", exif=exif, icc_profile=profile)
    levels = np.zeros(SIZE, np.uint8)
    levels[:8] = 255
    Image.fromarray(levels).save(tmp_path / "m.png")
    assert run(folder, tmp_path / "a.png", "--mask", tmp_path / "m.png", "-o", tmp_path / "b.png") == 0
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == profile
        made = np.asarray(image)
    np.testing.assert_array_equal(made[8:-2, :, :3], picture()[8:-2])
    np.testing.assert_array_equal(made[..., 3], np.where(levels, 255, alpha))
    assert run(folder, tmp_path / "a.png", "-o", tmp_path / "c.png") == 0
    made = read(tmp_path / "c.png")
    np.testing.assert_array_equal(made, filled(picture(), 255 - alpha))


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "masks" / "deep").mkdir(parents=True)
    for index, place in enumerate(("a.png", "deep/b.png")):
        drawn(tmp_path / "in" / place, index, height=SIZE[0], width=SIZE[1])
        Image.fromarray(mask_of(index)).save(tmp_path / "masks" / place)
    return tmp_path


def test_a_folder_with_a_folder_of_masks(folder, pictures):
    assert run(folder, pictures / "in", "--mask", pictures / "masks") == 0
    made = files(pictures / "in.inpaint")
    assert set(made) == {"a.png", "deep/b.png"}
    for index, path in enumerate(made.values()):
        np.testing.assert_array_equal(read(path), filled(pixels_of(index, *SIZE), mask_of(index)))


def test_a_folder_with_one_mask_for_all(folder, pictures):
    drawn(pictures / "in" / "other.png", 5, height=4, width=4)
    assert run(folder, pictures / "in", "--mask", pictures / "masks" / "a.png", "-o", pictures / "out") == 8
    made = files(pictures / "out")
    assert "sizes_differ" in made.pop("failures.jsonl").read_text()
    assert set(made) == {"a.png", "deep/b.png"}
    for index, path in enumerate(made.values()):
        np.testing.assert_array_equal(read(path), filled(pixels_of(index, *SIZE), mask_of(0)))


def test_a_folder_beyond_the_edges(folder, pictures):
    assert run(folder, pictures / "in", "--outpaint", 0, 0, 0, 3) == 0
    made = files(pictures / "in.outpaint")
    np.testing.assert_array_equal(read(made["deep/b.png"])[:-3], pixels_of(1, *SIZE))


WRONG = {
    "both": (["a.png", "--mask", "m.png", "--outpaint", 1, 1, 1, 1], "give one of them"),
    "no mask there": (["a.png", "--mask", "none.png"], "does not exist"),
    "three": (["x", "y", "a.png", "--mask", "m.png"], "at most"),
    "masks among pictures": ([".", "--mask", "m.png"], "move it elsewhere"),
    "a folder for one": (["a.png", "--mask", "."], "one picture"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    drawn(tmp_path / "a.png")
    drawn(tmp_path / "m.png", channels=1)
    arguments, words = WRONG[case]
    assert run(folder, *arguments) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert set(files(tmp_path)) == {"a.png", "m.png"}


@pytest.mark.parametrize(("named", "says"), [((), "No model was named"), (("mine",), "no run or bundle 'mine'")])
def test_a_folder_without_the_usual_model_is_told_apart_from_a_wrong_name(named, says, tmp_path, capsys):
    drawn(tmp_path / "a.png")
    assert run(tmp_path / "elsewhere", *named, tmp_path / "a.png", "--outpaint", 1, 0, 0, 0) == 4
    told = " ".join(capsys.readouterr().err.split())
    assert says in told
    assert ("leave --runs out" in told) is (not named)


def test_a_model_of_another_task_is_refused(tmp_path, capsys):
    drawn(tmp_path / "a.png")
    assert main(["inpaint", str(negative(tmp_path / "n.onnx")), str(tmp_path / "a.png"), "--device", "cpu"]) == 2
    assert "pixturn run" in " ".join(capsys.readouterr().err.split())


# What tells of it


def test_its_page_and_its_trial(inpaint):
    text = " ".join([purpose(inpaint.card), *commands("inpaint.onnx", inpaint.card), *contract(inpaint.card)])
    for words in ("Fills what a mask marks", "--mask mask.png", '("picture.png", "mask.png")', "batch x 1 x height"):
        assert words in text
    tried = synthetic_sample(inpaint.card, 8, 8)["mask"]
    assert set(np.unique(tried)) == {0, 255}
    assert synthetic_sample(inpaint.card, 1, 1)["mask"].item() == 255
    assert Margins(left=1).right == 0


@pytest.mark.slow
def test_a_network_that_fills_is_exported_with_its_proof():
    """Numbers and baked pixels, on real pictures with real masks."""
    network = torch.nn.Conv2d(4, 3, 5, padding=2).eval()
    ports = (Picture(name="a"), Mask(name="mask")), (Picture(name="b"),)
    module = Filled(network=network).eval()
    deploy = Deploy(module=module, networks=(network,), task="inpaint", inputs=ports[0], outputs=ports[1])
    card = Card(task="inpaint", method="m", name="n", inputs=ports[0], outputs=ports[1])
    samples = [{"a": photograph(name), "mask": mask_of(1, photograph(name).shape[:2])} for name in ("cat", "coffee")]
    samples = [{**sample, "mask": sample["mask"][..., None]} for sample in samples]
    material = OnPictures(deploy=deploy, card=card, samples=samples, usual_px=32, console=Console(stderr=True))
    model, proven = in_precision(deploy, card, material, material.console)
    baked, of_pixels = with_pixels(model, proven, material)
    for graph, its_card in ((model, proven), (baked, of_pixels)):
        inpaint = TASKS["inpaint"](ProtoRuntime(graph, its_card))
        made = np.asarray(inpaint(picture(), mask_of()))
        is_hole = mask_of() >= 128
        np.testing.assert_array_equal(made[~is_hole], picture()[~is_hole])
        assert (made[is_hole] != picture()[is_hole]).mean() > 0.9
    assert of_pixels.parity["pixels_levels"] <= 1
    assert material.sheet(baked, of_pixels).startswith(b"\x89PNG")


def test_the_model_that_ships_is_the_usual_one(tmp_path):
    mask = mask_of()
    Image.fromarray(picture()).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "m.png")
    assert main(["inpaint", str(tmp_path / "a.png"), "--mask", str(tmp_path / "m.png"), "--device", "cpu"]) == 0
    filled = np.asarray(Image.open(tmp_path / "a.inpaint.png"))
    assert not np.array_equal(filled, picture())
    assert np.array_equal(filled[mask < 128], picture()[mask < 128])
