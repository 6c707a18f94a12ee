"""The scripts behind docs/results-generating.md, on cases whose figures are known."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.ndimage import laplace

from benchmarks.results import auto_encoders, conditional, gaussians, parzen, stacked, table
from benchmarks.results.material import Split, real
from translate.metrics.classifier import ClassifierTraining, fit_classifier
from translate.metrics.modes import GaussianModes


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_spread_is_that_of_a_sample_of_runs():
    (row,) = table.rows([{"error (%)": value} for value in (1.0, 2.0, 6.0)])
    assert (row.mean, row.each) == (3.0, (1.0, 2.0, 6.0))
    assert row.spread == pytest.approx(np.std(row.each, ddof=1))
    assert row.spread != pytest.approx(np.std(row.each))  # the control: of three runs that would be too little


def test_one_run_has_no_spread():
    (row,) = table.rows([{"error (%)": 1.25}])
    assert math.isnan(row.spread)
    assert table.markdown([row], ["a"]).splitlines()[2] == "| error (%) | 1.25 | 1.25 |"


def test_runs_that_were_measured_in_two_ways_make_no_table():
    with pytest.raises(ValueError, match="alike"):
        table.rows([{"error (%)": 1.0}, {"accuracy (%)": 99.0}])


def test_the_table_is_printed_and_kept(tmp_path, capsys):
    runs = (tmp_path / "first", tmp_path / "second")
    options = table.Options(runs=runs, json=tmp_path / "table.json")
    table.report(options, lambda run: {"modes": 25.0 if run.name == "first" else 24.0})
    assert "| modes | 24.5 ± 0.7071 | 25 | 24 |" in capsys.readouterr().out
    kept = json.loads(options.json.read_text())
    assert kept["runs"] == ["first", "second"]
    assert kept["rows"][0]["each"] == [25.0, 24.0]


def test_a_perfect_sampler_reaches_all_modes_at_the_floor():
    found = gaussians.figures(GaussianModes.grid25().sample(20_000, seed=0))
    assert found["modes of 20,000"] == 25
    assert found["within 3 sigma of 20,000 (%)"] == pytest.approx(100 * (1 - math.exp(-4.5)), abs=0.3)
    assert found["reverse KL of 20,000 (nats)"] == pytest.approx(found["its floor of 20,000 (nats)"], abs=6e-4)


def test_a_sampler_of_five_modes_is_found_out():
    points = GaussianModes.grid25().sample(20_000, seed=0)
    found = gaussians.figures(points[points[:, 0] > 3])
    (modes, _, divergence, _) = found.values()
    assert modes == 5
    assert divergence == pytest.approx(math.log(5), abs=0.01)


class Level:
    """Reads a digit from a picture's grey level."""

    classes = 10

    def predict(self, pictures):
        return ((pictures.mean(dim=(1, 2, 3)) + 1) * 4.5).round().long()


def numbers(values):
    """Pictures whose channels' grey levels spell these numbers."""
    digits = torch.stack([values // 100, values // 10 % 10, values % 10], dim=1)
    return (digits / 4.5 - 1)[:, :, None, None].expand(-1, -1, 4, 4)


def test_every_number_once_is_even_and_three_digits_alike_are_ten_modes():
    found = stacked.figures(numbers(torch.arange(1000)), Level())
    assert found["modes of 1000, 1,000 samples"] == 1000
    assert found["reverse KL (nats)"] == pytest.approx(0, abs=1e-9)
    grey = stacked.figures(numbers(torch.arange(10).repeat(100) * 111), Level())
    assert grey["modes of 1000, 1,000 samples"] == 10
    assert grey["reverse KL (nats)"] == pytest.approx(math.log(100))


@pytest.fixture(scope="module")
def bars():
    """Training and test pictures of two classes, a bar along or across at any place, and a classifier of them."""
    training = ClassifierTraining(steps=60, batch=64, shift_px=0, learning_rate=1e-2)
    train, test = _bars(400, seed=0), _bars(200, seed=1)
    judge = fit_classifier(train.samples, train.labels, classes=2, training=training)
    return train, test, judge, training


def _bars(count, seed):
    labels, place = torch.arange(count) % 2, torch.randint(16, (count,), generator=torch.Generator().manual_seed(seed))
    pictures = torch.full((count, 1, 16, 16), -1.0)
    pictures[torch.arange(count), 0, place] = 1.0
    pictures[labels == 1] = pictures[labels == 1].transpose(2, 3)
    return Split(samples=pictures + 0.05 * draw(*pictures.shape, seed=seed), labels=labels)


def test_new_real_pictures_pass_all_that_is_asked_of_samples(bars):
    train, test, judge, training = bars
    gan_test, gan_train, *diversity = conditional.figures(_bars(400, seed=2), train, test, judge, training).values()
    assert gan_test > 97
    assert gan_train > 97
    assert diversity[:2] == pytest.approx([100, 100], abs=12)


def test_one_picture_a_class_shows_what_was_asked_for_but_not_variously(bars):
    train, test, judge, training = bars
    poor = Split(samples=train.samples[:2].repeat(200, 1, 1, 1), labels=train.labels[:2].repeat(200))
    gan_test, gan_train, *diversity = conditional.figures(poor, train, test, judge, training).values()
    assert gan_test > 97  # which is why it does not stand alone
    assert gan_train < 90
    assert diversity == pytest.approx([0, 0, 0], abs=0.1)


def test_samples_of_the_wrong_class_fail(bars):
    train, test, judge, training = bars
    swapped = Split(samples=train.samples, labels=1 - train.labels)
    gan_test, gan_train, *_ = conditional.figures(swapped, train, test, judge, training).values()
    assert max(gan_test, gan_train) < 3


def test_the_window_is_taken_on_pixels_from_0_to_1():
    pictures = draw(30, 1, 4, 4).clamp(-1, 1)
    few = Split(samples=pictures, labels=torch.zeros(30, dtype=torch.long))
    found = parzen.figures(pictures[:1].repeat(5, 1, 1, 1), few, few)
    pixels = ((pictures + 1) / 2).flatten(1).double()
    truth = torch.distributions.Normal(pixels[0], found["sigma"]).log_prob(pixels).sum(dim=1)
    assert found["log-likelihood (nats)"] == pytest.approx(float(truth.mean()))


def test_real_pictures_come_with_their_classes(tmp_path):
    pixels = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
    for split in ("train", "test"):
        np.savez(tmp_path / f"{split}.npz", x=pixels, y=np.arange(6) % 3)
    split = real(tmp_path, "test")
    assert split.samples.shape == (6, 1, 4, 4)
    torch.testing.assert_close((split.samples[:, 0] + 1) * 127.5, torch.from_numpy(pixels).float())
    assert split.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_pictures_without_classes_and_points_are_read_too(tmp_path):
    np.savez(tmp_path / "train.npz", x=np.ones((5, 2), np.float32))
    split = real(tmp_path, "train")
    assert (split.samples.tolist(), set(split.labels.tolist())) == ([[1.0, 1.0]] * 5, {-1})


def test_sharpness_is_the_variance_of_scipys_laplacian_which_blur_lowers_and_noise_raises():
    pictures = draw(3, 2, 9, 11).clamp(-1, 1)
    truth = [[laplace(channel.double().numpy())[1:-1, 1:-1] for channel in picture] for picture in pictures]
    expected = np.mean([np.var(np.stack(picture)) for picture in truth])
    assert auto_encoders.sharpness(pictures) == pytest.approx(expected, rel=1e-5)
    blurred = torch.nn.functional.avg_pool2d(pictures, 3, stride=1, padding=1)
    assert auto_encoders.sharpness(blurred) < 0.2 * auto_encoders.sharpness(pictures)
    assert auto_encoders.sharpness(pictures + draw(*pictures.shape, seed=1)) > 1.5 * auto_encoders.sharpness(pictures)


def test_test_pictures_themselves_are_as_sharp_as_they_are_and_cover_everything():
    pictures, rows = draw(40, 1, 8, 8), draw(40, 3).double().numpy()
    found = auto_encoders.figures(pictures, pictures, rows, rows)
    assert found["sharpness (% of test pictures')"] == pytest.approx(100)
    assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)
    far = auto_encoders.figures(pictures / 2, pictures, rows + 100, rows)
    assert far["sharpness (% of test pictures')"] == pytest.approx(25)
    assert (far["precision"], far["coverage"]) == (0, 0)
