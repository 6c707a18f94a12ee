"""What InfoGAN may ask of real samples' categories, against the formulas of translate/clusters.py in plain torch."""

from dataclasses import replace

import pytest
import torch
from test_formulas_infogan import TWO, expected_of_discriminator, expected_of_generator, method_of
from tiny import assert_same_move, terms_of

from pipelines.methods.infogan import InfoGAN
from pipelines.recipes import recipe_named
from translate import clusters
from translate.clusters import ClustersConfig
from translate.codes import CodesConfig
from translate.errors import ConfigurationError
from translate.networks.distorted import Distortion

LEANING = Distortion(shear_degrees=20.0)
ASKED = ClustersConfig(agreement=0.7, clarity=0.3, balance=2.5, distortion=LEANING)
CODES = {"paper": CodesConfig(), "two": TWO, "no continuous": CodesConfig(continuous=0)}


@pytest.fixture
def mirrored(monkeypatch):
    """A distortion that draws nothing."""
    monkeypatch.setattr(clusters, "distorted", lambda x, by: x.flip(3))


def probabilities(method, x):
    said = method.head(method.discriminator.features(x)).categorical
    return [logits.exp() / logits.exp().sum(dim=1, keepdim=True) for logits in said]


def entropy(p, dim):
    return -(p * p.log()).sum(dim=dim)


def of_real_samples(method, batch):
    """Alpha KL(Q(c | x) || Q(c | T x)) and -beta (mu H(c) - H(c | x)), with Q(c | x) fixed in the first."""
    x, alpha, beta, mu = batch["x"], 0.7, 0.3, 2.5
    straight, moved = probabilities(method, x), probabilities(method, x.flip(3))
    information = sum(mu * entropy(p.mean(dim=0), 0) - entropy(p, 1).mean() for p in straight)
    apart = sum((p.detach() * (p.detach() / q).log()).sum(dim=1).mean() for p, q in zip(straight, moved, strict=True))
    return {"clarity": -beta * information, "agreement": alpha * apart}


def expected(method, batch):
    return {**expected_of_discriminator(method, batch), **of_real_samples(method, batch)}


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.usefixtures("mirrored")
def test_the_judges_are_asked_about_real_samples_too(codes):
    method, batch = method_of(codes=CODES[codes], clusters=ASKED)
    assert_same_move(method, "discriminator", batch, lambda: expected(method, batch))


@pytest.mark.usefixtures("mirrored")
def test_the_generator_is_not():
    method, batch = method_of(clusters=ASKED)
    assert_same_move(method, "generator", batch, lambda: expected_of_generator(method, batch))


@pytest.mark.usefixtures("mirrored")
def test_control_the_formulas_see_a_prediction_that_is_not_fixed(monkeypatch):
    def both_move(logits, other):
        p, q = logits.log_softmax(1), other.log_softmax(1)
        return (p.exp() * (p - q)).sum(dim=1).mean()

    monkeypatch.setattr(clusters, "self_augmentation", both_move)
    method, batch = method_of(clusters=ASKED)
    with pytest.raises(AssertionError, match="gradient of agreement"):
        assert_same_move(method, "discriminator", batch, lambda: expected(method, batch))


@pytest.mark.usefixtures("mirrored")
def test_control_the_formulas_see_classes_that_are_wished_uneven(monkeypatch):
    right = clusters.cluster_information
    monkeypatch.setattr(clusters, "cluster_information", lambda logits, balance: right(logits, balance=-balance))
    method, batch = method_of(clusters=ASKED)
    with pytest.raises(AssertionError, match="term clarity"):
        assert_same_move(method, "discriminator", batch, lambda: expected(method, batch))


def test_continuous_codes_are_not_asked_about_distortions():
    method, batch = method_of(clusters=ASKED)
    terms = terms_of(method, "discriminator", batch)
    gradient = torch.autograd.grad(terms["agreement"] + terms["clarity"], method.head.layers[-1].weight)[0]
    assert float(gradient[10:].abs().max()) == 0 < float(gradient[:10].abs().max())


def test_distortions_are_drawn_anew_each_time():
    method, batch = method_of(clusters=ASKED)
    one, other = (float(terms_of(method, "discriminator", batch)["agreement"].detach()) for _ in range(2))
    assert one != other


@pytest.mark.parametrize("part", ["agreement", "clarity"])
def test_each_part_may_be_asked_alone(part):
    method, batch = method_of(clusters=replace(ClustersConfig(distortion=LEANING), **{part: 1.0}))
    assert set(terms_of(method, "discriminator", batch)) == {"adversarial", "category", "code", part}


def test_the_paper_asks_nothing_and_the_small_recipe_does():
    assert InfoGAN.recipe().config.clusters == ClustersConfig()
    small = recipe_named("infogan-small")
    assert min(small.config.clusters.agreement, small.config.clusters.clarity) > 0
    assert not small.domains.labelled
    assert small.batch_size >= 10 * small.config.codes.categories[0], "H(c) is that of one batch"


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        (lambda: ClustersConfig(agreement=-1.0, distortion=LEANING), "agreement is -1"),
        (lambda: ClustersConfig(clarity=-1.0), "clarity is -1"),
        (lambda: ClustersConfig(balance=-1.0), "balance is -1"),
        (lambda: ClustersConfig(agreement=1.0), "agreement is 1.* --config.clusters.distortion"),
        (lambda: method_of(codes=CodesConfig(categories=()), clusters=ASKED), "agreement .* no categorical code"),
    ],
)
def test_questions_that_nothing_answers_are_refused(wrong, option):
    with pytest.raises(ConfigurationError, match=rf"--config\.clusters\.{option}"):
        wrong()
