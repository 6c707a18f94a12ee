"""Learning to generate, from a folder to samples: by the same commands as learning to translate."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from command_line import done, pixturn
from PIL import Image
from tiny import tiny_recipe

import pipelines
from pipelines.generating import Generate
from pipelines.training import Setting
from pipelines.training.generation.contest import OURS, REAL, hold_contest
from pipelines.training.generation.data import open_data
from pipelines.training.generation.gaussian import FittedGaussian
from translate.data.domains import OneDomain
from translate.errors import DatasetError
from translate.metrics.energy import energy_distance
from translate.recipe import Length, Validation

SIDE_PX = 16
COUNT = 120


def blobs(count, seed):
    """A bright spot in one of three corners on a dark ground, with noise: the corner is the class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    pictures = random.integers(0, 40, (count, SIDE_PX, SIDE_PX)).astype(np.uint8)
    for picture, (row, column) in zip(pictures, [((0, 0), (0, 8), (8, 0))[label] for label in labels], strict=True):
        picture[row : row + 8, column : column + 8] += 180
    return pictures, labels


@pytest.fixture(scope="module")
def spots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spots")
    for split, count, seed in (("train", COUNT, 0), ("test", 60, 1)):
        x, y = blobs(count, seed)
        np.savez(folder / f"{split}.npz", x=x, y=y, classes=np.array(["left", "right", "below"]))
    (folder / "dataset.json").write_text(json.dumps({"licence": "made up"}))
    return folder


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    folder = tmp_path_factory.mktemp("points")
    random = np.random.default_rng(0)
    for split, count in (("train", 400), ("test", 100)):
        np.savez(folder / f"{split}.npz", x=(random.normal(size=(count, 2)) * [1, 0.2]).astype(np.float32))
    return folder


def short(name, images=32, **changes):
    recipe = tiny_recipe(name, batch_size=8, length=Length(images=images), **changes)
    domains = OneDomain(labelled=recipe.domains.labelled)
    small = replace(recipe.augmentation, load_px=SIDE_PX, crop_px=SIDE_PX)
    return replace(
        recipe, domains=domains, augmentation=small, validation=Validation(best="kid", every_images=16, most=64)
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(spots, runs):
    return pipelines.train(short("cgan"), spots, name="spots", setting=Setting(device="cpu", workers=0, runs=runs))


def test_a_run_leaves_what_it_promises(trained, spots):
    assert trained.report.read_text().startswith("<!doctype html>")
    assert len(list(trained.samples.iterdir())) == 2
    generate = pipelines.load(trained.path, device="cpu")
    assert isinstance(generate, Generate)
    assert generate.card.licence == "made up"
    assert [port.name for port in generate.card.inputs] == ["z", "label"]
    assert generate.card.inputs[1].names == ("left", "right", "below")
    figures = [json.loads(line) for line in trained.metrics.read_text().splitlines()]
    assert {"validation/kid", "validation/frechet", "validation/discriminator_accuracy"} <= figures[-1].keys()
    assert any("D(x)" in line and "D(G(z))" in line for line in figures)


def test_the_report_holds_the_model_between_real_samples_and_a_trivial_generator(trained):
    text = trained.report.read_text()
    for words in ("training samples themselves", "normal distribution of the numbers", "coverage", "two-sample"):
        assert words in text
    for words in ("p-value", "GAN-test", "GAN-train", "diversity within a class", "Parzen window", "k-means centroids"):
        assert words in text
    assert "Nearest" in text
    distances = [float(value) for value in re.findall(r'data-metric="distance[^"]*" data-value="([^"]+)"', text)]
    assert len(distances) > 10
    assert distances == sorted(distances), "what is nearest to a training picture is looked at first"


def test_resume_goes_on_to_the_same_weights_as_a_straight_run(spots, runs):
    setting = Setting(device="cpu", workers=0, runs=runs, report=False)
    straight = pipelines.train(short("cgan", images=48), spots, name="straight", setting=setting)
    half = pipelines.train(short("cgan", images=48), spots, name="half", setting=setting)
    for snapshot in sorted(half.snapshots.iterdir())[1:]:
        if snapshot.name.startswith("images-") and not snapshot.name.endswith("000000000016"):
            for file in snapshot.iterdir():
                file.unlink()
            snapshot.rmdir()
    assert [path.name for path in half.snapshots.glob("images-*")] == ["images-000000000016"]
    resumed = pipelines.resume(half.path, setting)
    made = [pipelines.load(run.path, device="cpu").arrays(6, seed=3)["x"] for run in (straight, resumed)]
    assert np.array_equal(*made)


def test_generate_export_and_evaluate_from_the_command_line(trained, spots, runs, tmp_path):
    there = ("--runs", runs)
    done("generate", "spots", "--n", "6", "--class", "right", "--seed", "7", "-o", tmp_path / "six", *there)
    assert len(list((tmp_path / "six").glob("*.png"))) == 6
    model = tmp_path / "spots.onnx"
    done("export", "spots", "-o", model, *there)
    readme = (tmp_path / "README.md").read_text()
    assert "Makes `x` out of `z` and `label`" in readme
    for measure in ("two-sample test's p-value", "GAN-test", "coverage"):
        assert f"\n| {measure} | " in readme
    done("generate", model, "--n", "6", "--class", "1", "--seed", "7", "-o", tmp_path / "onnx")
    pairs = zip(sorted((tmp_path / "six").glob("*.png")), sorted((tmp_path / "onnx").glob("*.png")), strict=True)
    apart = [np.abs(np.asarray(Image.open(a)).astype(int) - np.asarray(Image.open(b))).max() for a, b in pairs]
    assert max(apart) <= 1
    done("evaluate", "spots", "-o", tmp_path / "figures.json", *there)
    assert json.loads((tmp_path / "figures.json").read_text())["protocols"][OURS].keys() >= {"gan_test", "parzen"}
    refused = pixturn("run", model, tmp_path / "six" / "x.png", "-o", tmp_path / "out.png")
    assert refused.code == 2


def test_what_generates_is_refused_where_pictures_are_translated(trained, runs, tmp_path):
    picture = tmp_path / "a.png"
    Image.new("L", (16, 16)).save(picture)
    outcome = pixturn("run", "spots", picture, "-o", tmp_path / "out.png", "--runs", runs)
    assert outcome.code == 2
    assert "pixturn generate" in outcome.err


def test_points_are_learnt_and_scored_by_their_energy_distance(points, runs, tmp_path):
    recipe = tiny_recipe("gan-points", batch_size=32, length=Length(images=96))
    recipe = replace(recipe, domains=OneDomain(), validation=Validation(best="energy", every_images=48, most=50))
    run = pipelines.train(recipe, points, name="points", setting=Setting(device="cpu", workers=0, runs=runs))
    made = pipelines.load(run.path, device="cpu").arrays(10)
    assert made["x"].shape == (10, 2)
    assert "energy distance" in run.report.read_text()
    done("evaluate", "points", "-o", tmp_path / "points.json", "--runs", runs)
    figures = json.loads((tmp_path / "points.json").read_text())
    assert figures["figures"][OURS].keys() == {"energy", "two_sample", "two_sample_p"}
    assert figures["protocols"][OURS].keys() == {"parzen"}


def test_check_and_train_say_what_is_wrong(spots, points, runs, tmp_path):
    told = done("check", spots, "--crop-px", str(SIDE_PX), "--no-estimate").out
    assert "left (40)" in told
    assert "0 errors" in told
    outcome = pixturn("train", "cgan", "--data", points, "--name", "never", "--runs", runs)
    assert outcome.code == 3
    assert "learns from classes" in outcome.err
    with pytest.raises(DatasetError, match="no such folder"):
        open_data(replace(short("dcgan"), data=str(tmp_path / "nowhere")))


def test_few_labels_are_kept_of_each_class_and_the_same_every_time(spots):
    recipe = replace(short("cgan"), data=str(spots), domains=OneDomain(labelled=True, labels_a_class=4))
    kept = []
    for _ in range(2):
        _, data = open_data(recipe)
        tensors, _ = data.train.__getitems__([(0, index) for index in range(len(data.train))])
        kept.append(tensors["label"])
    assert torch.equal(*kept)
    assert [int((kept[0] == label).sum()) for label in (-1, 0, 1, 2)] == [len(kept[0]) - 12, 4, 4, 4]
    assert (data.held_out.labels >= 0).all()


# The measures of a report


def test_real_samples_beat_a_normal_distribution_which_beats_noise(spots):
    _, data = open_data(replace(short("dcgan"), data=str(spots)))
    held_out, training = data.samples("test", most=60), data.samples("train", most=200)
    noise = Noise()
    scores = hold_contest(Generate(noise), held_out, training, torch.device("cpu")).scores
    kid = {label: measured["kid"].value for label, measured in scores.items()}
    trivial = next(label for label in kid if label not in (OURS, REAL))
    assert kid[REAL] < kid[trivial] < kid[OURS]


class Noise:
    """A generator of pure noise."""

    def __init__(self):
        from translate.card import Card, FixedPicture, Latent

        x = FixedPicture(name="x", channels=1, height_px=SIDE_PX, width_px=SIDE_PX)
        self.card = Card(
            task="generate", method="m", name="n", inputs=(Latent(name="z", size=SIDE_PX**2),), outputs=(x,)
        )
        self.device = "cpu"

    def run(self, inputs):
        return {"x": np.clip(inputs["z"], -1, 1).reshape(-1, 1, SIDE_PX, SIDE_PX)}


def test_the_trivial_generator_has_the_mean_and_covariance_of_what_it_was_fitted_to():
    random = torch.Generator().manual_seed(0)
    factors = torch.randn(3, 3, generator=random)
    samples = torch.randn(20_000, 3, generator=random) @ factors + torch.tensor([1.0, -2.0, 0.5])
    drawn = FittedGaussian(samples).draw(20_000, seed=1)
    torch.testing.assert_close(drawn.mean(dim=0), samples.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(samples.T), atol=0.15, rtol=0)


def test_the_energy_distance_is_scipys_in_one_dimension_and_nothing_between_equals():
    from scipy.stats import energy_distance as of_scipy

    random = np.random.default_rng(0)
    one, other = random.normal(size=4000), random.normal(0.8, 1.5, size=4000)
    ours = energy_distance(torch.from_numpy(one[:, None]), torch.from_numpy(other[:, None]))
    assert ours == pytest.approx(of_scipy(one, other) ** 2, rel=0.03)
    same = energy_distance(torch.from_numpy(one[:2000, None]), torch.from_numpy(one[2000:, None]))
    assert abs(same) < 0.01
