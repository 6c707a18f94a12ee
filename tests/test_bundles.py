"""The models that ship: they run on a fresh clone without torch, and say where they come from."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import done
from PIL import Image
from skimage import data as photographs

import pipelines
from pipelines.generating.show import shown_samples
from pipelines.runs import bundle_of, bundles
from translate.data.making import Holes
from translate.data.making.holes import draw_mask
from translate.runtime.peek import peek_card

HERE = Path(__file__).parents[1] / "checkpoints"
NAMES = [model.stem for model in bundles(HERE)]
CARDS = {name: peek_card(bundle_of(name, HERE)) for name in NAMES}
GENERATING = [name for name in NAMES if CARDS[name].task == "generate"]
INPAINTING = [name for name in NAMES if CARDS[name].task == "inpaint"]
UPSCALING = [name for name in NAMES if CARDS[name].task == "upscale"]
MOST_BYTES = {"generate": 5_000_000, "upscale": 8_000_000, "inpaint": 8_000_000, "translate": 8_000_000}


def test_some_models_ship():
    assert {"fashion", "emoji", "x2", "x4", "colourise", "lineart", "inpaint"} <= set(NAMES)
    assert bundle_of("nothing", HERE) is None


@pytest.mark.parametrize("model", sorted(HERE.glob("*/*.onnx")), ids=lambda path: path.stem)
def test_a_bundle_is_small_whole_and_says_where_it_comes_from(model):
    stated = model.with_name(f"{model.name}.sha256").read_text().split()[0]
    assert hashlib.sha256(model.read_bytes()).hexdigest() == stated
    card = pipelines.load(model, device="cpu").card
    assert model.stat().st_size <= MOST_BYTES[card.task]
    assert card.licence
    assert card.parity["difference"] <= {"fp32": 1e-4, "fp16": 1e-3}[card.precision]
    assert card.licence in (model.parent / "README.md").read_text()
    told = (HERE / "README.md").read_text()
    assert model.parent.name in {
        word.strip(",") for line in told.splitlines() if line[:3] == "## " for word in line.split()
    }
    assert f"--name {model.stem} --runs runs " in told.replace("\\\n    ", "")


@pytest.mark.parametrize("name", GENERATING)
def test_the_sheet_beside_it_is_what_it_makes(name):
    """Levels may differ by rounding on another processor."""
    generate = pipelines.load(name, runs=HERE, device="cpu")
    shown = np.asarray(shown_samples(generate, 64)).astype(int)
    stored = np.asarray(Image.open(HERE / name / f"{name}.samples.png")).astype(int)
    assert shown.shape == stored.shape
    assert np.abs(shown - stored).max() <= 2
    other = np.asarray(shown_samples(generate, 64, seed=1)).astype(int)
    assert np.abs(other - stored).mean() > 10


# None that is worse than what needs no training; on photos that were held out (pipelines/examples/photos.tsv)


def held_out(name):
    return Image.fromarray(getattr(photographs, name)()).convert("RGB")


def psnr(made, truth):
    return -10 * np.log10(np.square((np.asarray(made) - np.asarray(truth, np.float64)) / 255).mean())


@pytest.mark.parametrize("photo", ["astronaut", "coffee"])
@pytest.mark.parametrize("name", UPSCALING)
def test_an_enlarger_beats_bicubic(name, photo):
    upscale = pipelines.load(name, runs=HERE, device="cpu")
    scale = upscale.card.scale
    truth = held_out(photo).crop((0, 0, 400, 400))
    small = truth.resize((400 // scale, 400 // scale), Image.Resampling.BICUBIC)
    plain = small.resize(truth.size, Image.Resampling.BICUBIC)
    assert psnr(upscale(small), truth) > psnr(plain, truth) + 1.0


@pytest.mark.parametrize("photo", ["astronaut", "coffee"])
@pytest.mark.parametrize("name", INPAINTING)
def test_an_inpainter_beats_opencv_and_leaves_what_is_known(name, photo):
    truth = np.asarray(held_out(photo).crop((60, 0, 460, 400)).resize((256, 256), Image.Resampling.BOX))
    masks = [draw_mask(256, 256, np.random.default_rng(seed), Holes()) for seed in range(12)]  # one says little
    inpaint = pipelines.load(name, runs=HERE, device="cpu")
    ours, theirs = [], []
    for mask in masks:
        made = np.asarray(inpaint(truth, mask))
        assert np.array_equal(made[~mask], truth[~mask])
        plain = cv2.inpaint(
            np.where(mask[..., None], 0, truth).astype(np.uint8), mask.astype(np.uint8), 5, cv2.INPAINT_TELEA
        )
        for one, errors in ((made, ours), (plain, theirs)):
            errors.append(np.abs(one[mask].astype(float) - truth[mask]).mean())
    assert np.mean(ours) < np.mean(theirs)


def test_colours_are_nearer_to_the_truth_than_none_and_the_lightness_stays():
    truth = held_out("astronaut").resize((256, 256), Image.Resampling.BOX)
    grey = truth.convert("L")
    made = pipelines.load("colourise", runs=HERE, device="cpu")(grey)
    assert psnr(made, truth) > psnr(grey.convert("RGB"), truth)
    assert np.abs(np.asarray(made.convert("L"), float) - np.asarray(grey)).mean() < 8
    assert np.ptp(np.asarray(made, int), axis=2).mean() > 3


def test_lines_stay_and_what_they_enclose_gets_colour():
    drawing = Image.open(HERE / "lineart" / "example.png").convert("RGB")
    made = np.asarray(pipelines.load("lineart", runs=HERE, device="cpu")(drawing), int)
    lines = np.asarray(drawing.convert("L")) < 40
    assert made[lines].mean() < 60
    assert made[:8, :8].min() > 230
    assert np.ptp(made, axis=2).max() > 60


def test_classes_that_are_asked_for_are_made(tmp_path):
    """Sneakers are wider than high where they are bright, trousers are not."""
    generate = pipelines.load("fashion", runs=HERE, device="cpu")
    names = generate.card.inputs[1].names
    shapes = {}
    for name in (names[1], names[7]):
        bright = np.stack([np.asarray(picture) for picture in generate(24, label=name)]) > 60
        shapes[name] = bright.any(axis=1).sum(axis=1).mean() / bright.any(axis=2).sum(axis=1).mean()
    assert shapes[names[7]] > 1.3 > 0.8 > shapes[names[1]]


def test_generate_works_from_the_command_line_and_without_torch(tmp_path):
    done("generate", "fashion", "--n", "4", "-o", tmp_path / "four.png", "--runs", HERE)
    assert Image.open(io.BytesIO((tmp_path / "four.png").read_bytes())).size[0] > 32
    code = (
        "import sys; sys.modules['torch'] = None\n"
        f"import pipelines; print(pipelines.load('emoji', runs=__import__('pathlib').Path({str(HERE)!r}))(2)[0].size)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "(32, 32)"
