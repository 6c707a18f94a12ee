"""`pixturn evaluate` of generators: which protocols are followed beside the figures of sets, and on which samples."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm

from pipelines.assessing import How, assess, assessment
from pipelines.assessing.real import of_data, pictures_at
from pipelines.commands import evaluate as evaluate_command
from pipelines.evaluating import features
from pipelines.evaluating.documents import written
from pipelines.generating import Generate
from pipelines.training.generation.contestants import OURS, REAL
from translate.card import Card, FixedPicture, Label, Latent, Vector
from translate.errors import ConfigurationError, DatasetError
from translate.metrics.modes import GaussianModes

SIDE_PX = 12
CORNERS = np.array([(0, 0), (0, 6), (6, 0)])
NAMES = ("left", "lower", "right")
GRID = GaussianModes.grid25()
QUICK = How(features="pixels", at_most=60, device="cpu")


class Made:
    """A runtime that turns noise, and classes where it knows some, into samples by a function."""

    device = "cpu"

    def __init__(self, make, output, names=()):
        label = (Label(name="label", classes=len(names), names=names),) if names else ()
        self.make = make
        self.card = Card(
            task="generate", method="m", name="n", inputs=(Latent(name="z", size=160), *label), outputs=(output,)
        )

    def run(self, inputs):
        return {"x": self.make(**inputs).astype(np.float32)}


def spots(z, label):
    """A bright square in the corner of the class on noise: N x 1 x H x W."""
    pictures = 0.3 * z[:, : SIDE_PX**2].reshape(-1, 1, SIDE_PX, SIDE_PX) - 0.5
    for picture, (row, column) in zip(pictures, CORNERS[label], strict=True):
        picture[:, row : row + 6, column : column + 6] += 0.7
    return np.clip(pictures, -1, 1)


def deaf(z, label):
    return spots(z, (norm.cdf(z[:, 150]) * 3).astype(int))


def on_the_grid(z, modes=25):
    places = np.array(GRID.centres)[(norm.cdf(z[:, 0]) * modes).astype(int)]
    return places + GRID.sigma * z[:, 1:3]


def painter(make=spots):
    return Generate(Made(make, FixedPicture(name="x", channels=1, height_px=SIDE_PX, width_px=SIDE_PX), NAMES))


def dotter(make=on_the_grid):
    return Generate(Made(make, Vector(name="x", size=2)))


def pixels(count, seed):
    labels = np.arange(count) % 3
    made = spots(np.random.default_rng(seed).normal(size=(count, 160)), labels)
    return ((made[:, 0] + 1) * 127.5).round().astype(np.uint8), labels


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch):
    """The figures are the same on a coarser grid, and quicker."""
    monkeypatch.setattr(features, "PIXELS_SIDE_PX", 8)


@pytest.fixture
def arrays(tmp_path):
    for split, count in (("train", 180), ("test", 90)):
        x, y = pixels(count, count)
        np.savez(tmp_path / f"{split}.npz", x=x, y=y, classes=np.array(NAMES))
    return tmp_path


@pytest.fixture
def files(tmp_path):
    x, y = pixels(90, 5)
    for index, (picture, label) in enumerate(zip(x, y, strict=True)):
        (tmp_path / NAMES[label]).mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / NAMES[label] / f"{index}.png")
    return tmp_path


@pytest.fixture
def plane(tmp_path):
    for split, count in (("train", 600), ("test", 300)):
        np.savez(tmp_path / f"{split}.npz", x=GRID.sample(count, count).numpy())
    modes = {"kind": "gaussians", "centres": GRID.centres, "deviation": GRID.sigma}
    (tmp_path / "dataset.json").write_text(json.dumps({"modes": modes}))
    return tmp_path


@pytest.fixture
def loads(monkeypatch):
    """Let a name stand for a generator."""
    return lambda generate: monkeypatch.setattr(assessment, "load", lambda *_, **__: generate)


def of(told):
    return told.document["protocols"]


# Pictures


def test_an_exported_generator_is_held_against_a_data_set_by_all_that_fits(arrays, loads):
    loads(painter())
    told = assess("model.onnx", arrays, QUICK)
    assert told.title == f"model.onnx against {arrays}"
    assert of(told)[OURS].keys() == {"gan_test", "gan_train", "class_diversity", "parzen"}
    assert of(told)[OURS]["gan_test"]["value"] > 0.9
    assert "k-means centroids of training samples" in of(told)
    names = [figure.name for figure in told.figures]
    assert {"GAN-test", "GAN-train", "Parzen window (nats)", "KID", "two-sample accuracy"} <= set(names)
    assert any("which are no model" in note for note in told.notes)
    assert json.loads(written(told.document))["figures"]["two_sample"]["p_exact"] > 1e-3


def test_a_generator_that_is_deaf_to_classes_is_found_out(arrays, loads):
    loads(painter(deaf))
    found = of(assess("model.onnx", arrays, QUICK))
    assert found[OURS]["gan_test"]["value"] < 0.5 < 0.9 < found[REAL]["gan_test"]["value"]


def test_protocols_can_be_left_out(arrays, loads):
    loads(painter(deaf))
    told = assess("model.onnx", arrays, How(features="pixels", at_most=60, device="cpu", protocols=False))
    assert of(told) == {}
    assert "GAN-test" not in [figure.name for figure in told.figures]


def test_classes_of_other_names_are_not_measured_and_that_is_said(arrays):
    x, y = pixels(30, 0)
    np.savez(arrays / "train.npz", x=x, y=y, classes=np.array(["a", "b", "c"]))
    (arrays / "test.npz").unlink()
    real = of_data(arrays, painter(), QUICK)
    assert real.subject is not None
    assert not real.subject.knows_classes
    (note,) = real.notes
    assert "(a, b, c) are not the model's (left, lower, right)" in note


def test_of_one_split_the_halves_have_no_sample_in_common(files):
    real = of_data(files, painter(), QUICK)
    assert real.pictures == files
    assert real.subject is not None
    assert real.subject.knows_classes
    learnt, scored = (set(part.keys) for part in (real.subject.training, real.subject.held_out))
    assert len(learnt) == len(scored) == 45
    assert not learnt & scored


def test_a_folder_with_a_broken_picture_is_still_compared_as_a_set(files, loads):
    loads(painter())
    (files / NAMES[0] / "broken.png").write_bytes(b"no picture")
    told = assess("model.onnx", files, QUICK)
    assert of(told) == {}
    assert any(note.startswith("Only compared as a set of pictures:") for note in told.notes)
    assert told.sets[1].left_out


def test_a_folder_of_pictures_may_be_held_against_arrays_and_then_those_to_test_on(arrays, files):
    pictures = pictures_at(arrays)
    assert len(pictures) == 90
    assert (np.asarray(pictures)[..., 0] == pixels(90, 90)[0]).all()
    assert pictures_at(files / NAMES[0]) == files / NAMES[0]


# Points


def test_points_are_measured_by_their_modes_beside_real_ones(plane, loads):
    loads(dotter())
    told = assess("model.onnx", plane, QUICK)
    assert of(told)[OURS]["modes"]["value"] == of(told)[REAL]["modes"]["value"] == 25
    names = [figure.name for figure in told.figures]
    assert {"energy distance", "two-sample test's p-value", "modes reached", "Parzen window (nats)"} <= set(names)
    assert Image.open(io.BytesIO(told.sheet)).size == (384, 384)


def test_collapsed_points_are_told_with_the_remedy(plane, loads, tmp_path, capsys):
    loads(dotter(lambda z: on_the_grid(z, modes=5)))
    out = tmp_path / "e.json"
    assert evaluate_command.main(["model.onnx", "--against", str(plane), "--out", str(out), "--html"]) == 0
    said = capsys.readouterr().out
    assert "5 of 25" in said
    assert "--config.discriminator.packing" in said
    assert json.loads(out.read_text())["protocols"][OURS]["modes"]["value"] == 5
    assert "modes reached" in out.with_suffix(".html").read_text()


@pytest.mark.parametrize(("maker", "data"), [(dotter, "arrays"), (painter, "plane")])
def test_other_samples_than_the_model_makes_are_refused(maker, data, request):
    with pytest.raises(DatasetError, match="point"):
        of_data(request.getfixturevalue(data), maker(), QUICK)


# What is refused


def test_what_has_held_nothing_out_needs_real_samples(files, loads):
    loads(painter())
    for name in ("model.onnx", str(files)):
        with pytest.raises(ConfigurationError, match="--against: give the folder"):
            assess(name, None, QUICK)


def test_what_translates_is_sent_to_its_report(files, loads):
    loads(object())
    with pytest.raises(ConfigurationError, match=r"pixturn report model\.onnx"):
        assess("model.onnx", files, QUICK)
