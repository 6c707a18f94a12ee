"""Losses of class labels against scipy, a (K + 1)-class softmax, and the formulas written out in loops."""

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

from translate.losses.adversarial import OBJECTIVES
from translate.losses.classes import (
    class_disagreement,
    class_entropy,
    classification,
    real_score,
)
from translate.losses.features import mean_matching
from translate.unlabelled import UNLABELLED

CLASSES = 10


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


LOGITS = 3 * normal(7, CLASSES)
LABELS = torch.tensor([0, 3, 9, 1, 1, 4, 7])


def with_double_softmax(logits, labels):
    """The classic bug: a network that ends in a softmax, under a loss that has one."""
    return classification(logits.softmax(dim=1), labels)


def by_hand(logits, labels):
    return -log_softmax(logits.numpy(), axis=1)[np.arange(len(labels)), labels.numpy()].mean()


def sure(labels):
    return 100.0 * torch.nn.functional.one_hot(labels, CLASSES).double()


def test_classification_is_minus_the_log_probability_of_the_label():
    assert classification(LOGITS, LABELS).item() == pytest.approx(by_hand(LOGITS, LABELS))


def test_control_a_second_softmax_gives_another_number():
    assert with_double_softmax(LOGITS, LABELS).item() != pytest.approx(by_hand(LOGITS, LABELS), rel=0.1)


def test_a_sure_and_right_classifier_has_no_loss():
    assert classification(sure(LABELS), LABELS).item() < 1e-9


def test_control_a_second_softmax_has_a_floor():
    """The probabilities 1, 0, ..., 0 as logits cost log(e + K - 1) - 1 = 1.46 nats: no training gets below."""
    floor = math.log(math.e + CLASSES - 1) - 1
    assert with_double_softmax(sure(LABELS), LABELS).item() == pytest.approx(floor)
    assert floor > 1.46


def test_a_sure_and_wrong_classifier_is_pushed_with_full_strength_which_a_second_softmax_loses():
    wrong = sure((LABELS + 1) % CLASSES)
    for loss, at_least, at_most in ((classification, 0.9, 1.1), (with_double_softmax, 0.0, 1e-9)):
        logits = wrong.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(logits, LABELS), logits)
        push = -gradient[torch.arange(len(LABELS)), LABELS] * len(LABELS)
        assert (push >= at_least).all()
        assert (push <= at_most).all()


def test_unlabelled_samples_do_not_count():
    some = LABELS.clone()
    some[2:] = UNLABELLED
    assert classification(LOGITS, some).item() == pytest.approx(by_hand(LOGITS[:2], LABELS[:2]))
    logits = LOGITS.clone().requires_grad_()
    none = classification(logits, torch.full_like(LABELS, UNLABELLED))
    none.backward()
    assert none.item() == 0
    assert (logits.grad == 0).all()


def test_halves_are_raised_to_float32():
    loss = classification(LOGITS.bfloat16(), LABELS)
    assert loss.dtype == real_score(LOGITS.bfloat16()).dtype == torch.float32
    torch.testing.assert_close(loss.double(), classification(LOGITS.bfloat16().double(), LABELS))


def test_the_real_score_is_the_log_odds_of_a_softmax_over_k_plus_1_classes():
    everything = softmax(np.hstack([LOGITS.numpy(), np.zeros((7, 1))]), axis=1)
    np.testing.assert_allclose(expit(real_score(LOGITS).numpy()), 1 - everything[:, -1])


@pytest.mark.parametrize("size", [1e3, -1e3])
def test_the_real_score_survives_logits_whose_exponentials_do_not(size):
    logits = torch.full((2, CLASSES), size, requires_grad=True)
    score = real_score(logits)
    assert score.tolist() == pytest.approx([size + math.log(CLASSES)] * 2)
    OBJECTIVES["non-saturating"].discriminator(score, score).backward()
    assert logits.grad.isfinite().all()


def test_the_unsupervised_part_is_the_cross_entropy_of_real_or_made_over_k_plus_1_classes():
    made = normal(5, CLASSES, seed=1)
    with_made = (np.hstack([logits.numpy(), np.zeros((len(logits), 1))]) for logits in (LOGITS, made))
    of_real, of_made = (log_softmax(logits, axis=1) for logits in with_made)
    expected = -np.log1p(-np.exp(of_real[:, -1])).mean() - of_made[:, -1].mean()
    loss = OBJECTIVES["non-saturating"].discriminator(real_score(LOGITS), real_score(made))
    assert loss.item() == pytest.approx(expected)


def test_the_semi_supervised_loss_is_the_cross_entropy_over_k_plus_1_classes():
    """log p(y|x) over K + 1 classes = log p(y|x, y <= K) + log D(x): supervised and unsupervised parts add up to it."""
    everything = torch.cat([LOGITS, torch.zeros(7, 1, dtype=torch.float64)], dim=1)
    parts = classification(LOGITS, LABELS) + torch.nn.functional.softplus(-real_score(LOGITS)).mean()
    torch.testing.assert_close(parts, torch.nn.functional.cross_entropy(everything, LABELS))


def test_mean_matching_is_the_squared_distance_of_the_means():
    fake, real = normal(6, 5), normal(9, 5, seed=1)
    expected = np.linalg.norm(fake.numpy().mean(0) - real.numpy().mean(0)) ** 2
    assert mean_matching(fake, real).item() == pytest.approx(expected)


def test_mean_matching_teaches_the_fakes_alone_and_sees_nothing_but_means():
    fake, real = normal(6, 5).requires_grad_(), normal(6, 5, seed=1).requires_grad_()
    mean_matching(fake, real).backward()
    expected = 2 * (fake.mean(0) - real.mean(0)) / 6
    torch.testing.assert_close(fake.grad, expected.detach().expand(6, 5))
    assert real.grad is None
    assert mean_matching(real[torch.randperm(6)], real).item() == pytest.approx(0)


def test_mean_matching_refuses_features_of_other_sizes():
    with pytest.raises(ValueError, match="different shapes"):
        mean_matching(torch.zeros(4, 1), torch.zeros(4, 5))


def test_the_entropy_of_classes_is_that_of_their_probabilities():
    logits = torch.randn(7, 5, dtype=torch.float64) * 3
    expected = -np.mean([np.sum(softmax(row) * log_softmax(row)) for row in logits.numpy()])
    assert float(class_entropy(logits)) == pytest.approx(expected, rel=1e-12)
    assert float(class_entropy(torch.zeros(3, 5))) == pytest.approx(math.log(5), rel=1e-6)
    assert float(class_entropy(torch.eye(5) * 1e4)) == 0.0, "where classes are certain, without a NaN"


def test_disagreement_is_the_squared_distance_of_probabilities():
    logits, others = torch.randn(2, 7, 5, dtype=torch.float64, requires_grad=True)
    expected = np.mean(np.sum((softmax(logits.detach(), 1) - softmax(others.detach(), 1)) ** 2, axis=1))
    found = class_disagreement(logits, others)
    assert float(found.detach()) == pytest.approx(expected, rel=1e-12)
    assert float(class_disagreement(logits, logits + 3.0).detach()) == pytest.approx(0.0, abs=1e-12), (
        "a shift is nothing"
    )
    assert float(class_disagreement(torch.eye(4) * 1e4, torch.eye(4).roll(1, 0) * 1e4)) == 2.0


def test_losses_of_classes_are_raised_to_float32():
    logits = torch.full((2, 3), 300.0).half()
    assert class_entropy(logits).dtype == torch.float32
    assert float(class_disagreement(logits, logits)) == 0.0
