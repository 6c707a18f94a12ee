"""The papers' protocols in a report: each on a generator that is perfect, and on one that is broken on purpose."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, norm

from pipelines.generating import Generate
from pipelines.scoring.judge import Score
from pipelines.training.generation import bearable as bearing
from pipelines.training.generation.bearable import bearable, storable
from pipelines.training.generation.conditional import fits_conditional, measure_conditional
from pipelines.training.generation.contest import hold_contest
from pipelines.training.generation.contestants import OURS, REAL, merged
from pipelines.training.generation.gaussian import most_fitted
from pipelines.training.generation.held_out import HeldOut
from pipelines.training.generation.known_modes import StackedClasses, known_modes
from pipelines.training.generation.likelihood import CENTROIDS, fits_likelihood, measure_likelihood
from pipelines.training.generation.mode_coverage import fits_gaussians, fits_stacked, measure_gaussians, measure_stacked
from pipelines.training.generation.protocols import by_protocols
from pipelines.training.generation.subject import Subject
from translate.card import Card, FixedPicture, Label, Latent, Picture, Vector
from translate.errors import DatasetError
from translate.metrics.modes import GaussianModes
from translate.metrics.parzen import parzen_likelihood, unit_pixels

SIDE_PX = 12
CORNERS = np.array([(0, 0), (0, 6), (6, 0)])
CPU = torch.device("cpu")
PICTURE = FixedPicture(name="x", channels=3, height_px=8, width_px=8)
GRID = GaussianModes.grid25()


class Made:
    """A runtime that turns noise, and classes where it knows some, into samples by a function."""

    device = "cpu"

    def __init__(self, make, output, classes=0):
        label = (Label(name="label", classes=classes),) if classes else ()
        self.make = make
        self.card = Card(
            task="generate", method="m", name="n", inputs=(Latent(name="z", size=160), *label), outputs=(output,)
        )

    def run(self, inputs):
        return {"x": self.make(**inputs).astype(np.float32)}


def held(stored, labels=None, *, learns_classes=False):
    """The keys of two splits are the same: places in a file."""
    port = Vector(name="x", size=stored.shape[1]) if stored.ndim == 2 else Picture(name="x", channels=stored.shape[1])
    keys = tuple(map(str, range(len(stored))))
    return HeldOut(port=port, stored=stored, labels=labels, keys=keys, learns_classes=learns_classes)


def subject(runtime, training, held_out, validation=None, modes=None):
    return Subject(
        generate=Generate(runtime),
        held_out=held_out,
        validation=validation,
        training=training,
        device=CPU,
        modes=modes,
    )


# Points on a grid


def on_the_grid(z, modes=25):
    places = np.array(GRID.centres)[(norm.cdf(z[:, 0]) * modes).astype(int)]
    return places + GRID.sigma * z[:, 1:3]


def points(make, modes=GRID):
    training, test, choosing = (held(GRID.sample(count, seed)) for count, seed in ((1000, 0), (400, 1), (400, 2)))
    return subject(Made(make, Vector(name="x", size=2)), training, test, choosing, modes)


@pytest.mark.parametrize("side_px", [32, 64, 128, 256, 512])
def test_a_report_holds_what_memory_bears(side_px):
    shape = (3, side_px, side_px)
    assert storable(10_000, shape) * math.prod(shape) <= max(2**29, 500 * math.prod(shape))
    assert bearable(10_000, shape) * math.prod(shape) <= max(31e6, 500 * math.prod(shape))
    assert (storable(10_000, shape) == 10_000) == (side_px <= 128)
    assert most_fitted(shape) * math.prod(shape) <= max(36.9e6, 200 * math.prod(shape))
    assert (most_fitted(shape) == 3000) == (side_px <= 64)


def test_pictures_are_looked_at_where_they_are_stored():
    stored = torch.randint(0, 256, (5, 3, 8, 6), dtype=torch.uint8)
    pixels = held(stored).pixels()
    assert np.shares_memory(pixels, stored.numpy())
    assert np.array_equal(pixels[2, 3, 4], stored[2, :, 3, 4])
    with pytest.raises(TypeError, match="points"):
        held(torch.zeros(4, 2)).pixels()


def test_fewer_samples_are_held_where_they_are_large(monkeypatch):
    """Of 40 training samples of 3 x 8 x 8 with room for 12, what protocols are given is 12, with their labels."""
    monkeypatch.setattr(bearing, "FEWEST", 1)
    monkeypatch.setattr(bearing, "_FLOATS", 12 * 192)
    training, test = (held(torch.zeros(count, 3, 8, 8, dtype=torch.uint8)) for count in (40, 10))
    few = subject(Made(lambda z: np.zeros((len(z), 3, 8, 8)), PICTURE), training, test)
    assert (len(few.real), len(few.made)) == (12, 12)


def test_a_perfect_sampler_reaches_every_mode_and_a_collapsed_one_is_told_of_its_remedies():
    good, collapsed = (measure_gaussians(points(make)) for make in (on_the_grid, lambda z: on_the_grid(z, modes=5)))
    (finding,), (alarm,) = good.findings, collapsed.findings
    assert good.scores[OURS]["modes"].value == good.scores[REAL]["modes"].value == 25
    assert good.scores[OURS]["in_modes"].value == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert good.scores[OURS]["reverse_kl"].value == pytest.approx(24 / (2 * 1000), abs=0.012)
    assert (finding.severity, finding.remedy) == ("good", "")
    assert collapsed.scores[OURS]["modes"].value == 5
    assert collapsed.scores[OURS]["reverse_kl"].value == pytest.approx(math.log(5), abs=0.01)
    assert alarm.severity == "warning"
    assert "packing" in alarm.remedy


def test_the_likelihood_of_points_is_their_negative_entropy_for_a_perfect_sampler_alone():
    entropy = math.log(25) + math.log(2 * math.pi * math.e * GRID.sigma**2)
    good, collapsed = (measure_likelihood(points(make)) for make in (on_the_grid, lambda z: on_the_grid(z, modes=5)))
    assert good.scores[OURS]["parzen"].value == pytest.approx(-entropy, abs=0.2)
    assert good.scores[OURS]["parzen"].value == pytest.approx(good.scores[REAL]["parzen"].value, abs=0.1)
    assert collapsed.scores[OURS]["parzen"].value < -entropy - 2


def test_the_p_value_stands_beside_the_accuracy_and_is_the_binomial_one():
    reals = held(GRID.sample(1000, 0)), held(GRID.sample(800, 1))
    for make, apart in ((on_the_grid, False), (lambda z: on_the_grid(z) + 0.2, True)):
        runtime = Made(make, Vector(name="x", size=2))
        scores = hold_contest(Generate(runtime), reals[1], reals[0], CPU).scores[OURS]
        correct = round(scores["two_sample"].value * 800)
        assert scores["two_sample_p"].value == pytest.approx(binomtest(correct, 800, alternative="greater").pvalue)
        assert (scores["two_sample_p"].value < 1e-6) is apart


# What a data set says of its modes


def said(folder, modes):
    (folder / "dataset.json").write_text(json.dumps({"licence": "made up", "modes": modes}))
    return known_modes(folder)


def test_modes_are_what_the_data_set_says(tmp_path):
    assert known_modes(tmp_path) is None
    assert said(tmp_path, {}) is None
    assert said(tmp_path, {"kind": "gaussians", "centres": GRID.centres, "deviation": 0.05}) == GRID
    assert said(tmp_path, {"kind": "stacked", "classes": 10}) == StackedClasses(classes=10)
    assert known_modes(tmp_path / "dataset.json") == StackedClasses(classes=10)


@pytest.mark.parametrize(
    "modes",
    [
        {"kind": "rings"},
        {"centres": [[0, 0]]},
        {"kind": "gaussians", "centres": [[0, 0, 0]], "deviation": 1},
        {"kind": "gaussians", "centres": [[0, 0]]},
        {"kind": "stacked", "classes": "ten"},
        "all",
    ],
)
def test_modes_that_are_not_understood_are_refused_with_what_to_write(tmp_path, modes):
    with pytest.raises(DatasetError, match=r'dataset.json: "modes".*"centres"'):
        said(tmp_path, modes)


def test_modes_of_other_samples_are_left_alone():
    of_three = StackedClasses(classes=3)
    assert fits_gaussians(points(on_the_grid))
    assert not fits_gaussians(points(on_the_grid, modes=None))
    assert not fits_gaussians(replace(spotted(), modes=GRID))
    assert fits_stacked(stacked(stacked_spots))
    assert not fits_stacked(points(on_the_grid, modes=of_three))
    assert not fits_stacked(replace(spotted(), modes=of_three))  # grey: nothing is stacked


# Pictures with classes


def spots(z, label):
    """A bright square in the corner of the class on noise: N x 1 x H x W."""
    pictures = np.clip(0.3 * z[:, : SIDE_PX**2].reshape(-1, 1, SIDE_PX, SIDE_PX) - 0.5, -1, 1)
    for picture, (row, column) in zip(pictures, CORNERS[label], strict=True):
        picture[:, row : row + 6, column : column + 6] += 0.7
    return np.clip(pictures, -1, 1)


def real_spots(count, seed):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    pixels = ((spots(random.normal(size=(count, 160)), labels) + 1) * 127.5).round().astype(np.uint8)
    return held(torch.from_numpy(pixels), torch.from_numpy(labels), learns_classes=True)


def spotted(make=spots, classes=3):
    picture = FixedPicture(name="x", channels=1, height_px=SIDE_PX, width_px=SIDE_PX)
    return subject(Made(make, picture, classes), real_spots(240, 0), real_spots(90, 1), real_spots(90, 2))


def test_a_perfect_model_of_classes_has_what_real_samples_have():
    found = measure_conditional(spotted())
    (finding,) = found.findings
    for name in ("gan_test", "gan_train"):
        assert found.scores[OURS][name].value > 0.95
        assert found.scores[REAL][name].value > 0.95
    assert found.scores[OURS]["class_diversity"].value == pytest.approx(1, abs=0.15)
    assert finding.severity == "info"


def test_a_model_that_is_deaf_to_classes_is_right_by_chance():
    scores = measure_conditional(spotted(lambda z, label: spots(z, (z[:, 150] > 0).astype(int)))).scores[OURS]
    assert scores["gan_test"].value < 0.5
    assert scores["gan_train"].value < 0.6


def test_one_picture_a_class_is_told_whatever_its_accuracy():
    found = measure_conditional(spotted(lambda z, label: spots(np.zeros_like(z), label)))
    (finding,) = found.findings
    assert found.scores[OURS]["gan_test"].value > 0.9
    assert found.scores[OURS]["class_diversity"].value < 0.1
    assert finding.severity == "warning"
    assert "one picture" in finding.remedy


def test_classes_are_measured_only_where_they_are_asked_for():
    assert fits_conditional(spotted())
    assert not fits_conditional(spotted(lambda z: spots(z, np.zeros(len(z), int)), classes=0))
    assert not fits_conditional(points(on_the_grid))


# The Parzen window of pictures


def test_the_likelihood_of_pictures_is_that_of_the_protocol_with_a_width_chosen_on_the_validation_split():
    who = spotted()
    found = measure_likelihood(who)
    vectors = [unit_pixels(one.tensor(0, len(one), CPU)) for one in (who.validation, who.held_out)]
    truth = parzen_likelihood(unit_pixels(who.made), *vectors)
    assert found.scores[OURS]["parzen"].value == pytest.approx(truth.mean_nats)
    assert (truth.validation, truth.test, truth.samples) == (90, 90, 960)
    assert {OURS, REAL, CENTROIDS} == found.scores.keys()
    (caveat,) = found.findings
    assert "no model" in caveat.message
    assert f"{found.scores[CENTROIDS]['parzen'].value:.4g}" in caveat.message


def test_without_a_validation_split_one_half_chooses_and_the_other_is_scored():
    who = spotted()
    alone = subject(who.generate._runtime, who.training, who.held_out)
    halves = unit_pixels(who.test).split(45)
    truth = parzen_likelihood(unit_pixels(who.made), *halves)
    found = measure_likelihood(alone).scores[OURS]["parzen"]
    assert (found.value, found.pictures) == (pytest.approx(truth.mean_nats), 45)


def test_large_or_coloured_pictures_have_no_likelihood():
    assert fits_likelihood(spotted())
    for shape in ((60, 3, 16, 16), (60, 1, 33, 33)):
        pictures = held(torch.zeros(shape, dtype=torch.uint8))
        assert not fits_likelihood(subject(spotted().generate._runtime, pictures, pictures))


# Stacked pictures


def stacked_spots(z):
    """Three grey pictures of independent classes as the channels of one."""
    digits = (norm.cdf(z[:, 150:153]) * 3).astype(int)
    return np.concatenate([spots(np.roll(z, 7 * channel, 1), digits[:, channel]) for channel in range(3)], axis=1)


def stacked(make):
    random = np.random.default_rng(0)
    z = random.normal(size=(150, 160))
    digits = (norm.cdf(z[:, 150:153]) * 3).astype(int)
    pixels = torch.from_numpy(((stacked_spots(z) + 1) * 127.5).round().astype(np.uint8))
    real = held(pixels, torch.from_numpy(digits @ np.array([9, 3, 1])))
    picture = FixedPicture(name="x", channels=3, height_px=SIDE_PX, width_px=SIDE_PX)
    return subject(Made(make, picture), real, real, modes=StackedClasses(classes=3))


def test_a_classifier_that_learnt_from_the_channels_counts_modes_of_stacked_pictures():
    good = measure_stacked(stacked(stacked_spots))
    equal = measure_stacked(stacked(lambda z: stacked_spots(z)[:, [0, 0, 0]]))
    assert good.scores[OURS]["modes"].value == good.scores[REAL]["modes"].value == 27
    assert equal.scores[OURS]["modes"].value < 9
    assert "in_modes" not in good.scores[OURS]


# Together


def measures(who):
    return [{name for part in found.scores.values() for name in part} for found in by_protocols(who)]


def test_every_protocol_that_fits_is_followed_and_no_other():
    assert measures(spotted()) == [{"gan_test", "gan_train", "class_diversity"}, {"parzen"}]
    assert measures(points(on_the_grid)) == [{"modes", "in_modes", "reverse_kl"}, {"parzen"}]
    assert measures(points(on_the_grid, modes=None)) == [{"parzen"}]


def test_what_takes_long_is_told_to_its_end():
    last = {}
    for _ in by_protocols(replace(spotted(), progress=lambda what, done, total: last.update({what: (done, total)}))):
        pass
    assert len(last) == 4
    assert all(done == total for done, total in last.values())
    assert "Making samples" in last


def test_scores_of_one_contestant_come_together():
    one, other = (Score(value=value, standard_error=None, pictures=1) for value in (1.0, 2.0))
    whole = merged([{"a": {"kid": one}, "b": {"kid": other}}, {"a": {"modes": other}, "c": {}}])
    assert whole == {"a": {"kid": one, "modes": other}, "b": {"kid": other}, "c": {}}


def test_an_infinite_divergence_is_said_in_words():
    """Where no sample is at a mode there is no share of modes to compare."""
    (finding,) = measure_gaussians(points(lambda z: np.full((len(z), 2), 99.0))).findings
    assert "0 of 25" in finding.message
    assert "infinite, as no sample is at a mode" in finding.message
    assert "inf nats" not in finding.message
