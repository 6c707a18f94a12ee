"""The models that ship: they run on a fresh clone without torch, and say where they come from."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_cli import done

import pipelines
from pipelines.generating.show import shown_samples
from pipelines.runs import bundle_of, bundles

HERE = Path(__file__).parents[1] / "checkpoints"
NAMES = [model.stem for model in bundles(HERE)]
MOST_BYTES = 5_000_000


def test_some_models_ship():
    assert {"fashion", "emoji"} <= set(NAMES)
    assert bundle_of("nothing", HERE) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_is_small_whole_and_says_where_it_comes_from(name):
    model = bundle_of(name, HERE)
    assert model.stat().st_size <= MOST_BYTES
    stated = model.with_name(f"{model.name}.sha256").read_text().split()[0]
    assert hashlib.sha256(model.read_bytes()).hexdigest() == stated
    card = pipelines.load(model, device="cpu").card
    assert card.licence
    assert card.parity["difference"] <= 1e-4
    assert card.licence in (model.parent / "README.md").read_text()
    told = (HERE / "README.md").read_text()
    assert f"## {name}" in told
    assert "pixturn train" in told


@pytest.mark.parametrize("name", NAMES)
def test_the_sheet_beside_it_is_what_it_makes(name):
    """Levels may differ by rounding on another processor."""
    generate = pipelines.load(name, runs=HERE, device="cpu")
    shown = np.asarray(shown_samples(generate, 64)).astype(int)
    stored = np.asarray(Image.open(HERE / name / f"{name}.samples.png")).astype(int)
    assert shown.shape == stored.shape
    assert np.abs(shown - stored).max() <= 2
    other = np.asarray(shown_samples(generate, 64, seed=1)).astype(int)
    assert np.abs(other - stored).mean() > 10


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
