"""Every kind of picture, several at once, from training to a picture."""

import json

import numpy as np
import pytest
from cli_runs import COMPARES, RESNET, TRAINED, crop, drawn, train
from command_line import done, pixturn
from PIL import Image

pytest_plugins = ["cli_fixtures"]
pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.mark.slow
def test_training_the_other_way_round(pairs, runs):
    run = train("pix2pix", pairs, "backwards", runs, "--direction", "BtoA", "--no-report")
    sheet = np.asarray(Image.open(sorted(run.samples.iterdir())[0]))
    first = sheet[:32, :32], sheet[:32, 64:]
    given = {
        path.stem: np.asarray(Image.open(path).resize((32, 32), Image.Resampling.BOX))
        for path in (pairs / "trainB").iterdir()
    }
    nearest = min(given.values(), key=lambda picture: np.abs(picture.astype(int) - first[0]).mean())
    assert np.abs(nearest.astype(int) - first[0]).mean() < 8
    assert np.abs(255 - nearest.astype(int) - first[1]).mean() < 8


def labels_of(pixels: np.ndarray) -> np.ndarray:
    return (pixels.sum(axis=2) // 192).clip(0, 3).astype(np.uint8)


@pytest.fixture(scope="module")
def kinds_set(tmp_path_factory):
    """Colour, its grey version, and label maps by brightness."""
    root = tmp_path_factory.mktemp("kinds")
    for index in range(TRAINED):
        pixels = crop(index)
        grey = pixels.mean(axis=2).astype(np.uint8)
        for folder, picture in (("rgb", pixels), ("grey", grey), ("labels", labels_of(pixels))):
            drawn(picture, root / folder / f"p{index:02d}.png")
    return root


KINDS = {
    "label maps in": (("labels:4",), ("rgb",)),
    "label maps out": (("rgb",), ("labels:4",)),
    "grey in": (("grey",), ("rgb",)),
    "grey out": (("rgb",), ("grey",)),
    "two in": (("rgb", "grey"), ("rgb",)),
    "label maps beside pictures, two out": (("rgb", "labels:4"), ("rgb", "grey")),
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
@pytest.mark.parametrize("case", KINDS)
def test_kinds_of_pictures(case, recipe, kinds_set, runs, tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    for domain, kinds in zip("AB", KINDS[case], strict=True):
        for number, kind in enumerate(kinds):
            (root / f"train{domain}{number + 1 if number else ''}").symlink_to(kinds_set / kind.partition(":")[0])
    a, b = KINDS[case]
    name = f"{recipe}-{case}".replace(" ", "-").replace(",", "")
    resnet = RESNET if recipe == "cyclegan" else ()
    train(recipe, root, name, runs, "--a", *a, "--b", *b, *resnet, *COMPARES, "--no-check")
    assert (runs / name / "report.html").exists()

    inputs = [tmp_path / f"{kind.partition(':')[0]}.png" for kind in a]
    for path in inputs:
        picture = np.asarray(Image.open(kinds_set / path.stem / "p00.png"))
        drawn(picture[:33, :29], path)
    done("run", name, *inputs, "-o", tmp_path / "out.png", "--runs", runs, "--device", "cpu")
    made = Image.open(tmp_path / "out.png")
    assert made.size == (29, 33)
    assert made.mode == ("RGB" if b[0] == "rgb" else "L")
    if b[0].startswith("labels"):
        assert np.asarray(made).max() < 4
    if len(b) > 1:
        assert Image.open(tmp_path / "out.b2.png").size == (29, 33)
    assert pixturn("run", name, *inputs, inputs[0], "-o", tmp_path / "x.png", "--runs", runs).code == 2


@pytest.mark.slow
def test_folders_of_several_pictures_at_once(kinds_set, runs, tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    for folder, kind in (("trainA", "rgb"), ("trainA2", "grey"), ("trainB", "rgb")):
        (root / folder).symlink_to(kinds_set / kind)
    train("pix2pix", root, "couples", runs, "--a", "rgb", "grey", "--no-check", "--no-report")
    for index in range(3):
        drawn(crop(index), tmp_path / "one" / f"p{index}.png")
        drawn(crop(index)[..., 0], tmp_path / "two" / f"p{index}.png")
    (tmp_path / "two" / "p1.png").unlink()
    drawn(crop(2, 8, 8)[..., 0], tmp_path / "two" / "p2.png")
    outcome = pixturn("run", "couples", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "out", "--runs", runs)
    assert outcome.code == 8
    failures = [json.loads(line) for line in (tmp_path / "out" / "failures.jsonl").read_text().splitlines()]
    assert [failure["reason"] for failure in failures] == ["missing_partner", "sizes_differ"]
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["p0.png"]
