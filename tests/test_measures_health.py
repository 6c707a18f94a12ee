"""Planted collapses of generators from noise are caught, healthy samples and games raise no alarm."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from real_digits import digits
from skimage import data
from torch.nn import functional

from translate.errors import ConfigurationError
from translate.metrics.health_balance import Probabilities, check_game, check_probabilities, probability
from translate.metrics.health_discriminator import DiscriminatorScores
from translate.metrics.health_samples import check_class_diversity, check_diversity_history, check_samples
from translate.metrics.modes import GaussianModes
from translate.metrics.remedies import GRADIENT_PENALTY, MINIBATCH_STDDEV, PACKING, Remedies, advice
from translate.metrics.sample_diversity import sample_diversity

COUNT = 256


def noise(pictures, strength):
    return pictures + strength * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def mnist():
    pictures, labels = digits()
    return {"real": pictures[:COUNT], "labels": labels[:COUNT], "held": pictures[COUNT : 2 * COUNT]}


@pytest.fixture(scope="module")
def photos():
    whole = [torch.from_numpy(getattr(data, name)().copy()) for name in ("astronaut", "chelsea", "coffee", "rocket")]
    crops = torch.cat([one[::2, ::2].unfold(0, 32, 8).unfold(1, 32, 8).flatten(0, 1) for one in whole])
    order = torch.randperm(len(crops), generator=torch.Generator().manual_seed(0))
    return crops[order].float() / 127.5 - 1


HEALTHY = {
    "held out": lambda held: held,
    "blurred": lambda held: functional.avg_pool2d(held, 5, 1, 2),
    "half contrast": lambda held: held * 0.5,
    "noisy": lambda held: noise(held, 0.3),
    "darker": lambda held: held * 0.6 - 0.4,
}
COLLAPSED = {
    "one picture": lambda held: held[:1].expand(len(held), -1, -1, -1),
    "one picture and noise": lambda held: noise(held[:1].expand(len(held), -1, -1, -1), 0.1),
    "three pictures": lambda held: held[torch.arange(len(held)) % 3],
    "three pictures and noise": lambda held: noise(held[torch.arange(len(held)) % 3], 0.1),
    "near the mean": lambda held: 0.8 * held.mean(dim=0) + 0.2 * held,
    "grey and noise": lambda held: noise(torch.zeros_like(held), 0.1),
}


def codes(findings):
    return [finding.code for finding in findings]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("change", HEALTHY.values(), ids=HEALTHY)
def test_healthy_digits_raise_no_alarm(mnist, change, known):
    labels = mnist["labels"] if known else None
    assert check_samples(change(mnist["held"]), mnist["real"], real_labels=labels) == []


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("change", COLLAPSED.values(), ids=COLLAPSED)
def test_collapsed_digits_are_caught(mnist, change, known):
    labels = mnist["labels"] if known else None
    assert codes(check_samples(change(mnist["held"]), mnist["real"], real_labels=labels)) == ["mode_collapse"]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("label", range(10))
def test_a_generator_of_one_class_is_caught(mnist, label, known):
    pictures, labels = digits()
    one_class = pictures[labels == label][100 : 100 + COUNT]
    known_labels = mnist["labels"] if known else None
    assert codes(check_samples(one_class, mnist["real"], real_labels=known_labels)) == ["mode_collapse"]
    alike = sample_diversity(one_class, mnist["real"])
    assert label == 1 or min(alike.spread, alike.nearest) > 0.6  # the control: distances alone do not see it


@pytest.mark.parametrize("change", ["healthy", "collapsed"])
def test_photos(photos, change):
    real, held = photos[:192], photos[192:384]
    if change == "healthy":
        assert [check_samples(make(held), real) for make in HEALTHY.values()] == [[]] * len(HEALTHY)
    else:
        assert all(check_samples(make(held), real) for make in COLLAPSED.values())


@pytest.mark.parametrize("modes", [GaussianModes.grid25(), GaussianModes.ring8()])
@pytest.mark.parametrize("count", [64, 256, 512])
def test_points(modes, count):
    real = modes.sample(count, 1)
    assert [check_samples(modes.sample(count, seed), real) for seed in range(2, 8)] == [[]] * 6
    for kept in (1, 2):
        assert check_samples(replace(modes, centres=modes.centres[:kept]).sample(count, 2), real)
    assert check_samples(noise(torch.zeros(count, 2), 1e-4), real)


def test_too_few_or_other_shapes_are_left_alone_and_broken_numbers_told(mnist):
    assert check_samples(mnist["held"][:63] * 0, mnist["real"]) == []
    assert check_samples(mnist["held"][..., :20] * 0, mnist["real"]) == []
    assert codes(check_samples(mnist["held"] / 0 * 0, mnist["real"])) == ["not_finite"]
    with pytest.raises(ConfigurationError, match="at least 64"):
        sample_diversity(mnist["held"][:63], mnist["real"])


def test_collapse_within_classes_is_caught_by_name():
    pictures, labels = digits()
    real, held = slice(0, 600), slice(600, 1200)
    asked = labels[held]
    assert check_class_diversity(pictures[held], asked, pictures[real], labels[real]) == []
    poor = pictures[held].clone()
    for label in (3, 7):
        poor[asked == label] = noise(poor[asked == label][:1].expand((asked == label).sum(), -1, -1, -1), 0.1)
    (found,) = check_class_diversity(
        poor, asked, pictures[real], labels[real], names=tuple("ABCDEFGHIJ"), generator="painter"
    )
    assert found.code == "class_collapse"
    assert "Collapsed classes: D, H." in found.message
    assert "painter" in found.message
    assert check_samples(poor, pictures[real]) == []  # the control: over all classes nothing shows
    few = torch.where(asked == 3, 0, asked)
    assert check_class_diversity(poor[few == 3], few[few == 3], pictures[real], labels[real]) == []


@pytest.mark.parametrize(
    "history",
    [[0.05], [0.05, 0.1, 0.2, 0.4, 0.7], [0.05, 0.06, 0.1], [0.9, 0.8, 0.85, 0.6, 0.7], [0.02, 0.05, 0.1, 0.2]],
)
def test_healthy_histories(history):
    assert check_diversity_history(np.array(history)) == []


@pytest.mark.parametrize(
    ("history", "code"),
    [
        ([0.1, 0.6, 0.9, 0.3], "diversity_falls"),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], "diversity_falls"),
        ([0.05, 0.05, 0.05, 0.05], "mode_collapse"),
        ([0.2, 0.3, 0.1, 0.05, 0.02], "mode_collapse"),
    ],
)
def test_falling_and_missing_diversity(history, code):
    (found,) = check_diversity_history(np.array(history), generator="generator")
    assert found.code == code
    assert PACKING.option in found.remedy


def scores(real_mean, fake_mean, count=200, spread=1.0):
    draw = np.random.default_rng(0)
    real, fake = draw.normal(real_mean, spread, count), draw.normal(fake_mean, spread, count)
    return DiscriminatorScores(discriminator="critic", held_out_real=real, fake=fake)


def test_a_lost_game_is_told_from_a_healthy_one():
    assert [check_game(scores(mean, 0)) for mean in (0, 0.5, 1, 2, 3, -2)] == [[]] * 6
    (won,) = check_game(scores(6, 0))
    assert won.code == "discriminator_wins"
    assert "--optimisers.critic.learning-rate" in won.remedy
    (fooled,) = check_game(scores(-6, 0), generator="painter")
    assert fooled.code == "discriminator_fooled"
    assert "--optimisers.painter.learning-rate" in fooled.remedy
    assert check_game(scores(6, 0, count=20)) == []


def course(real, fake, moments=100):
    """From 1/2 to a last value in the first half of a run, with some noise."""
    draw = np.random.default_rng(0)
    rise = np.clip(np.linspace(0, 2, moments), 0, 1)
    real, fake = (0.5 + rise * (last - 0.5) + draw.normal(0, 0.003, moments) for last in (real, fake))
    return Probabilities(discriminator="critic", real=real, fake=fake)


@pytest.mark.parametrize("last", [(0.5, 0.5), (0.9, 0.1), (0.95, 0.04), (0.8, 0.4), (0.3, 0.2)])
def test_a_healthy_distance_from_one_half(last):
    assert check_probabilities(course(*last)) == []


@pytest.mark.parametrize(
    ("last", "code"),
    [
        ((0.999, 0.001), "probabilities_apart"),
        ((0.97, 0.95), "probabilities_one_sided"),
        ((0.03, 0.02), "probabilities_one_sided"),
    ],
)
def test_probabilities_that_left_one_half(last, code):
    assert codes(check_probabilities(course(*last))) == [code]
    assert check_probabilities(course(*last, moments=19)) == []
    back = course(*last)
    recovered = replace(back, real=np.append(back.real, [0.7] * 30), fake=np.append(back.fake, [0.3] * 30))
    assert check_probabilities(recovered) == []


def test_probability_is_the_mean_sigmoid_and_does_not_overflow():
    values = np.array([-2.0, 0.0, 3.0], dtype=np.float32)
    assert probability(values) == pytest.approx(float(torch.sigmoid(torch.from_numpy(values)).mean()))
    assert probability(np.array([-1e4, 1e4])) == 0.5


def test_a_finding_names_only_what_its_method_offers(mnist):
    collapsed = mnist["held"][:1].expand(COUNT, -1, -1, -1)
    (found,) = check_samples(collapsed, mnist["real"], remedies=Remedies(collapse=(MINIBATCH_STDDEV,)))
    assert MINIBATCH_STDDEV.option in found.remedy
    assert PACKING.option not in found.remedy
    assert "--seed" in advice(())
    assert advice([PACKING, GRADIENT_PENALTY]).count("--config.") == 2
