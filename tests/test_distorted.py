"""Distorted pictures against what they must have suffered: their middle, their moments, their slant."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from translate.errors import ConfigurationError
from translate.metrics.strokes import slant_degrees
from translate.networks.distorted import Distortion, distorted

SIDE, COUNT = 32, 400


def ellipses(across=3.0, down=8.0, count=COUNT):
    """Soft, upright, in the middle, on a dark ground."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    ink = np.exp(-((columns / across) ** 2 + (rows / down) ** 2) / 2 * 3)
    return torch.from_numpy(2 * ink - 1).float().expand(count, 1, SIDE, SIDE)


def moments(pictures):
    """Middle (across, down) and second moments (across, both, down) of the ink of each picture, in pixels."""
    ink = (pictures[:, 0].double().numpy() + 1) / 2
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    total = ink.sum((1, 2))
    x, y = (ink * columns).sum((1, 2)) / total, (ink * rows).sum((1, 2)) / total
    off_x, off_y = columns - x[:, None, None], rows - y[:, None, None]
    second = [(ink * part).sum((1, 2)) / total for part in (off_x**2, off_x * off_y, off_y**2)]
    return np.stack([x, y]), np.stack(second)


def seen(**by):
    torch.manual_seed(0)
    return distorted(ellipses(), Distortion(**by))


def uniform(values, most):
    """Whether they are drawn evenly from -most to most."""
    assert np.abs(values).max() < 1.02 * most
    return kstest(values, "uniform", (-most, 2 * most)).pvalue > 1e-3


def angles(pictures):
    _, (across, both, down) = moments(pictures)
    return np.degrees(np.arctan2(2 * both, down - across) / 2)


def test_turned_evenly_either_way():
    assert uniform(angles(seen(rotate_degrees=20.0)), 20.0)


def test_leant_evenly_either_way():
    assert uniform(slant_degrees(seen(shear_degrees=20.0)).numpy(), 20.0)


def test_a_lean_keeps_the_height_and_a_turn_does_not():
    _, (_, _, upright) = moments(ellipses(count=1))
    _, (_, _, leant) = moments(seen(shear_degrees=20.0))
    _, (_, _, turned) = moments(seen(rotate_degrees=20.0))
    assert np.abs(leant / upright - 1).max() < 0.02 < np.abs(turned / upright - 1).max()


def test_enlarged_alike_across_and_down():
    (across, _, down), (before_across, _, before_down) = moments(seen(scale=0.2))[1], moments(ellipses(count=1))[1]
    assert uniform(np.log(down / before_down) / 2, math.log(1.2))
    np.testing.assert_allclose(across / before_across, down / before_down, rtol=0.1)


def test_moved_evenly_each_way_by_its_own():
    x, y = moments(seen(shift=0.1))[0]
    assert uniform(x, 0.1 * SIDE)
    assert uniform(y, 0.1 * SIDE)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.2


def test_control_another_amount_is_seen():
    assert not uniform(angles(seen(rotate_degrees=15.0)), 20.0)


def test_the_middle_stays():
    middle, _ = moments(seen(rotate_degrees=20.0, shear_degrees=20.0, scale=0.2))
    assert np.abs(middle).max() < 0.05


def test_what_comes_in_is_the_border():
    bright = torch.full((50, 1, 8, 8), 0.75)
    assert torch.allclose(distorted(bright, Distortion(rotate_degrees=45.0, shift=0.5)), bright)


def test_autocast_does_not_choose_the_precision():
    expected = seen(rotate_degrees=20.0, shift=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(seen(rotate_degrees=20.0, shift=0.1), expected)


def test_nothing_is_distorted_by_default_and_no_gradient_flows():
    samples = torch.rand(3, 2, requires_grad=True)
    assert distorted(samples, Distortion()) is samples
    assert not distorted(torch.rand(2, 1, 8, 8, requires_grad=True), Distortion(shift=0.1)).requires_grad


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        (lambda: Distortion(rotate_degrees=90.0), r"--config\.clusters\.distortion\.rotate-degrees is 90"),
        (lambda: Distortion(shear_degrees=-1.0), r"--config\.clusters\.distortion\.shear-degrees is -1"),
        (lambda: Distortion(scale=1.0), r"--config\.clusters\.distortion\.scale is 1"),
        (lambda: Distortion(shift=0.6), r"--config\.clusters\.distortion\.shift is 0\.6"),
        (lambda: Distortion(shift=0.1).require_picture((2,)), r"--config\.clusters\.distortion.* vectors of 2"),
    ],
)
def test_what_leaves_nothing_is_refused(wrong, option):
    with pytest.raises(ConfigurationError, match=option):
        wrong()


def test_vectors_may_stay_as_they_are():
    Distortion().require_picture((2,))
