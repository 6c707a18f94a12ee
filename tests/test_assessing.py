"""`pixturn evaluate` of generators: which protocols are followed beside the figures of sets, and on which samples."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm

from pipelines.assessing import AssessmentOptions, assess, assessment
from pipelines.assessing.readable import read_readable
from pipelines.assessing.real import of_data, pictures_at
from pipelines.commands import evaluate as evaluate_command
from pipelines.evaluating import features
from pipelines.evaluating.documents import written
from pipelines.generating import Generate
from pipelines.training.generation import validation
from pipelines.training.generation.contestants import OURS, REAL
from translate.card import Card, FixedPicture, Label, Latent, Picture, Vector
from translate.data.augmentation import Augmentation
from translate.data.collection_finding import scan_collection
from translate.errors import ConfigurationError, DatasetError
from translate.metrics.modes import GaussianModes

SIDE_PX = 12
CORNERS = np.array([(0, 0), (0, 6), (6, 0)])
NAMES = ("left", "lower", "right")
GRID = GaussianModes.grid25()
QUICK = AssessmentOptions(features="pixels", at_most=60, device="cpu")
FOR_POINTS = AssessmentOptions(device="cpu")


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
    told = assess("model.onnx", arrays, AssessmentOptions(features="pixels", at_most=60, device="cpu", protocols=False))
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


def test_a_broken_picture_is_listed_and_left_out_of_the_protocols_and_no_other(files, loads):
    loads(painter())
    whole = of_data(files, painter(), QUICK).subject
    cut = files / NAMES[0] / "0.png"
    cut.write_bytes(cut.read_bytes()[:90])
    told = assess("model.onnx", files, QUICK)
    assert of(told)[OURS].keys() == {"gan_test", "gan_train", "class_diversity", "parzen"}
    assert any(str(cut) in note and "Left out of the protocols" in note for note in told.notes)
    document = json.loads(written(told.document))
    (left_out,) = document["left_out_of_protocols"]
    assert (left_out["name"], left_out["reason"]) == (f"{NAMES[0]}/0", "truncated")
    assert any(str(cut) in note for note in document["notes"])
    broken = of_data(files, painter(), QUICK).subject
    keys = [{*one.training.keys, *one.held_out.keys} for one in (whole, broken)]
    assert keys[0] - keys[1] == {f"{NAMES[0]}/0"}
    kept = [key in broken.training.keys for key in whole.training.keys]
    assert (whole.training.stored[kept] == broken.training.stored).all()
    assert (whole.training.labels[kept] == broken.training.labels).all()


def test_in_the_place_of_a_broken_picture_comes_the_next_one(files):
    part, port = scan_collection(files).train, Picture(name="x", channels=1)
    size = Augmentation(load_px=SIDE_PX, crop_px=SIDE_PX)
    whole, none = read_readable(part, port, size, learns_classes=True, most=11)
    (files / f"{whole.keys[3]}.png").write_bytes(b"no picture")
    rest, (left_out,) = read_readable(part, port, size, learns_classes=True, most=10)
    assert none == ()
    assert left_out.name == whole.keys[3]
    assert rest.keys == (*whole.keys[:3], *whole.keys[4:])
    assert rest.labels.tolist() == [NAMES.index(key.split("/")[0]) for key in rest.keys]


def test_where_protocols_cannot_be_followed_the_document_says_why(files, loads):
    loads(painter())
    real = next(files.rglob("*.png"))
    one = files / "one"
    for index in range(8):
        (one / "train").mkdir(parents=True, exist_ok=True)
        (one / "train" / f"{index}.png").write_bytes(real.read_bytes())
    (one / "test").mkdir()
    for index in range(8):
        (one / "test" / f"{index}.png").write_bytes(b"no picture")
    told = assess("model.onnx", one, QUICK)
    assert of(told) == {}
    (note,) = [note for note in told.document["notes"] if note.startswith("Only compared as a set of pictures:")]
    assert note in told.notes
    assert len(told.sets[1].left_out) > 0


def test_a_folder_of_pictures_may_be_held_against_arrays_and_then_those_to_test_on(arrays, files):
    pictures = pictures_at(arrays)
    assert len(pictures) == 90
    assert (np.asarray(pictures)[..., 0] == pixels(90, 90)[0]).all()
    assert pictures_at(files / NAMES[0]) == files / NAMES[0]


# Points


def test_points_are_measured_by_their_modes_beside_real_ones(plane, loads):
    loads(dotter())
    told = assess("model.onnx", plane, FOR_POINTS)
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


def test_points_that_reach_no_mode_have_an_infinite_divergence_and_json_knows_no_such_number(plane, loads, tmp_path):
    loads(dotter(lambda z: np.full((len(z), 2), 9.0)))
    out = tmp_path / "e.json"
    assert evaluate_command.main(["model.onnx", "--against", str(plane), "--out", str(out), "--html"]) == 0
    found = json.loads(out.read_text(), parse_constant=pytest.fail)["protocols"]
    assert found[OURS]["reverse_kl"]["value"] is None
    assert found[OURS]["modes"]["value"] == 0
    assert 0 <= found[REAL]["reverse_kl"]["value"] < 0.1
    assert "<td>infinite</td>" in out.with_suffix(".html").read_text()


def test_what_is_noted_of_points_is_in_the_document_too(plane, loads):
    loads(Generate(Made(lambda z, label: on_the_grid(z), Vector(name="x", size=2), NAMES)))
    np.savez(plane / "train.npz", x=GRID.sample(60, 1).numpy(), y=np.arange(60) % 3, classes=np.array(["a", "b", "c"]))
    np.savez(plane / "test.npz", x=GRID.sample(60, 2).numpy(), y=np.arange(60) % 3, classes=np.array(["a", "b", "c"]))
    told = assess("model.onnx", plane, FOR_POINTS)
    (note,) = told.document["notes"]
    assert note.startswith("Classes are not measured")


@pytest.mark.parametrize(
    ("count", "words"), [(1, "has 1 samples"), (2, "1 points to compare"), (11, "5 points to comp")]
)
def test_too_few_points_are_refused_with_their_number(tmp_path, loads, count, words):
    loads(dotter())
    np.savez(tmp_path / "few.npz", x=GRID.sample(count, 1).numpy())
    with pytest.raises(DatasetError, match=f"{words}.*hundreds"):
        assess("model.onnx", tmp_path / "few.npz", FOR_POINTS)


def test_the_fewest_points_that_are_enough(tmp_path, loads):
    loads(dotter())
    np.savez(tmp_path / "few.npz", x=GRID.sample(12, 1).numpy())
    told = assess("model.onnx", tmp_path / "few.npz", AssessmentOptions(device="cpu", protocols=False))
    assert "energy distance" in [figure.name for figure in told.figures]


@pytest.mark.parametrize("changes", [{"features": "effnet-lite1"}, {"at_most": 60}])
def test_options_for_pictures_are_refused_for_points(plane, loads, changes):
    loads(dotter())
    with pytest.raises(ConfigurationError, match=r"makes points.*leave the option out"):
        assess("model.onnx", plane, replace(FOR_POINTS, **changes))


@pytest.mark.parametrize(("maker", "data"), [(dotter, "arrays"), (painter, "plane")])
def test_other_samples_than_the_model_makes_are_refused(maker, data, request):
    with pytest.raises(DatasetError, match="point"):
        of_data(request.getfixturevalue(data), maker(), QUICK)


# What is drawn


def test_the_noise_is_another_than_that_by_which_validation_chose_the_weights(plane, loads, monkeypatch):
    seeds = []
    draw = Generate.draw
    monkeypatch.setattr(
        Generate, "draw", lambda *given, seed, **more: seeds.append(seed) or draw(*given, seed=seed, **more)
    )
    loads(dotter())
    command = ["model.onnx", "--against", str(plane), "--out", str(plane / "e.json")]
    for options in ([], ["--seed", "7"]):
        assert evaluate_command.main([*command, *options]) == 0
    assert set(seeds) == {1, 7}
    assert validation.SEED not in seeds
    assert AssessmentOptions().seed == 1


# What is refused


@pytest.mark.parametrize("maker", [painter, dotter])
def test_real_samples_that_are_not_there_are_told(tmp_path, loads, maker, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loads(maker())
    with pytest.raises(DatasetError, match="nowhere: there is no such folder or file: give"):
        evaluate_command.main(["model.onnx", "--against", "nowhere"])


def test_a_folder_is_told_likewise(files):
    with pytest.raises(DatasetError, match="nowhere: there is no such folder or file: give"):
        evaluate_command.main([str(files), "--against", str(files / "nowhere"), "--out", str(files / "e.json")])


def test_what_has_held_nothing_out_needs_real_samples(files, loads):
    loads(painter())
    for name in ("model.onnx", str(files)):
        with pytest.raises(ConfigurationError, match="--against: give the folder"):
            assess(name, None, QUICK)


def test_what_translates_is_sent_to_its_report(files, loads):
    loads(object())
    with pytest.raises(ConfigurationError, match=r"pixturn report model\.onnx"):
        assess("model.onnx", files, QUICK)
