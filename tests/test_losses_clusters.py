"""Classes without labels: the terms of IMSAT against scipy and the paper's formulas, and what each of them does."""

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy

from translate.losses import clusters
from translate.losses.clusters import cluster_information, marginal_entropy, self_augmentation

CLASSES = 10


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


LOGITS, OTHERS = 3 * normal(40, CLASSES), 3 * normal(40, CLASSES, seed=1)


def said(logits):
    return softmax(logits.numpy(), axis=1)


def certain(classes):
    return 200.0 * torch.nn.functional.one_hot(classes, CLASSES).double()


def test_the_marginal_entropy_is_that_of_the_mean_probabilities():
    assert marginal_entropy(LOGITS).item() == pytest.approx(entropy(said(LOGITS).mean(axis=0)))


def test_control_the_mean_of_logits_has_another_entropy():
    sharp = 10 * LOGITS  # a mean of logits is then as sharp, a mean of probabilities is not
    assert marginal_entropy(sharp).item() == pytest.approx(entropy(said(sharp).mean(axis=0)))
    assert entropy(softmax(sharp.mean(0).numpy())) < 0.8 * marginal_entropy(sharp).item()


def test_all_classes_alike_reach_log_k_and_one_class_0():
    assert marginal_entropy(certain(torch.arange(50) % CLASSES)).item() == pytest.approx(math.log(CLASSES))
    assert marginal_entropy(certain(torch.full((50,), 3))).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("balance", [1.0, 4.0])
def test_information_in_loops(balance):
    probabilities = said(LOGITS)
    conditional = np.mean([entropy(row) for row in probabilities])
    expected = balance * entropy(probabilities.mean(axis=0)) - conditional
    assert cluster_information(LOGITS, balance=balance).item() == pytest.approx(expected)


def test_information_is_that_of_the_joint_table():
    """I(x; y) of N samples that are equally likely: sum p(x, y) log p(x, y) / (p(x) p(y))."""
    joint = said(LOGITS) / len(LOGITS)
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    assert cluster_information(LOGITS).item() == pytest.approx((joint * np.log(joint / independent)).sum())


@pytest.mark.parametrize("logits", [torch.zeros(20, CLASSES), certain(torch.zeros(20, dtype=torch.int64))])
def test_saying_nothing_and_saying_always_the_same_have_no_information(logits):
    assert cluster_information(logits).item() == pytest.approx(0, abs=1e-6)


def climbed(information):
    """N samples' logits after steps up the gradient, from nearly nothing said."""
    logits = (0.1 * normal(60, CLASSES)).requires_grad_()
    adam = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        adam.zero_grad()
        (-information(logits)).backward()
        adam.step()
    return said(logits.detach())


def test_climbing_makes_classes_clear_and_even():
    found = climbed(lambda logits: cluster_information(logits, balance=4.0))
    assert found.max(axis=1).mean() > 0.95
    assert np.bincount(found.argmax(1), minlength=CLASSES).tolist() == pytest.approx([6] * CLASSES, abs=1)


def test_control_without_balance_classes_are_lost():
    counts = np.bincount(climbed(lambda logits: cluster_information(logits, balance=0.0)).argmax(1), minlength=CLASSES)
    assert counts.max() > 7


def test_divergence_of_distorted_samples_in_loops():
    expected = np.mean([entropy(p, q) for p, q in zip(said(LOGITS), said(OTHERS), strict=True)])
    assert self_augmentation(LOGITS, OTHERS).item() == pytest.approx(expected)
    assert self_augmentation(LOGITS, LOGITS + 5).item() == pytest.approx(0, abs=1e-9)


def test_the_prediction_for_the_sample_itself_is_held_fixed():
    logits, others = LOGITS.clone().requires_grad_(), OTHERS.clone().requires_grad_()
    self_augmentation(logits, others).backward()
    assert logits.grad is None
    expected = (others.detach().softmax(1) - logits.detach().softmax(1)) / len(others)
    torch.testing.assert_close(others.grad, expected)


def test_half_precision_is_computed_in_float32():
    half = LOGITS.bfloat16()
    for value in (marginal_entropy(half), cluster_information(half), self_augmentation(half, half)):
        assert value.dtype == torch.float32


def test_control_entropy_in_place_of_information_is_seen(monkeypatch):
    monkeypatch.setattr(clusters, "class_entropy", lambda logits: -marginal_entropy(logits))
    with pytest.raises(AssertionError):
        test_information_in_loops(1.0)
