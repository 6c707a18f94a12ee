"""Codes that were learnt without labels: the best matching, monotone dials, and what measures strokes."""

import itertools
import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.stats import spearmanr

from translate.errors import ConfigurationError
from translate.metrics.codes import match_codes, monotonicity
from translate.metrics.strokes import slant_degrees, stroke_width_px


def draws(*shape, high, seed=0):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("values", "classes"), [(5, 5), (4, 5), (6, 5)])
def test_no_other_matching_is_wrong_less_often(values, classes):
    labels, codes = draws(200, high=classes), draws(200, high=values, seed=1)
    found = match_codes(codes, labels, values=values, classes=classes)
    places = [*range(classes), *[-1] * max(0, values - classes)]
    errors = [
        float((torch.tensor(meant)[codes] != labels).double().mean())
        for meant in set(itertools.permutations(places, values))
    ]
    assert found.error == pytest.approx(min(errors))
    assert found.error_on(codes, labels) == pytest.approx(found.error)
    assert found.classes.count(-1) == max(0, values - classes)


def test_a_renamed_class_is_no_error_and_merged_classes_are():
    labels = torch.arange(1000) % 10
    renamed = torch.tensor([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])[labels]
    found = match_codes(renamed, labels, values=10, classes=10)
    assert found.error == 0
    assert found.classes[3] == 0
    majority = match_codes(labels // 2, labels, values=10, classes=10)
    assert majority.error == pytest.approx(0.5)  # naming each code after its majority, twice, would be the same here
    split = torch.where(labels == 0, 10 + draws(1000, high=2), labels)
    assert match_codes(split, labels, values=12, classes=10).error > 0  # and here would be 0: it is one to one


def test_the_matching_of_one_set_can_be_judged_on_another():
    labels, codes = draws(30, high=10), draws(30, high=10, seed=1)
    found = match_codes(codes, labels, values=10, classes=10)
    other = found.error_on(draws(5000, high=10, seed=2), draws(5000, high=10, seed=3))
    assert found.error < 0.75
    assert other == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("codes", [torch.tensor([0, 10]), torch.tensor([-1, 0]), torch.tensor([0])])
def test_codes_out_of_range_are_refused(codes):
    with pytest.raises(ConfigurationError, match=r"codes|Codes"):
        match_codes(codes, torch.tensor([0, 1]), values=10, classes=10)


def test_monotonicity_is_scipys_spearman_per_traversal():
    code = torch.linspace(-2, 2, 9)
    measured = torch.randn(6, 9, generator=torch.Generator().manual_seed(0)).cumsum(dim=1).round(decimals=1)
    truth = [spearmanr(code.numpy(), row).statistic for row in measured.numpy()]
    found = monotonicity(code, measured)
    assert found.mean == pytest.approx(np.mean(truth))
    assert found.weakest == pytest.approx(min(truth) if np.mean(truth) >= 0 else max(truth))
    assert found.traversals == 6


@pytest.mark.parametrize(
    ("rows", "mean", "weakest"),
    [
        ([[1.0, 2.0, 40.0]] * 3, 1.0, 1.0),
        ([[3.0, 2.0, 1.0]] * 2, -1.0, -1.0),
        ([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], 0.0, -1.0),
        ([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]], 0.5, 0.0),
        ([[1.0, 2.0, 3.0], [1.0, math.nan, 3.0]], 0.5, 0.0),
    ],
)
def test_traversals_that_stand_still_or_turn_back_count_against(rows, mean, weakest):
    found = monotonicity(torch.tensor([-1.0, 0.0, 1.0]), torch.tensor(rows))
    assert (found.mean, found.weakest) == (pytest.approx(mean), pytest.approx(weakest))


def test_a_traversal_needs_three_values_that_fit():
    for code in (torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.0, 1.0, 2.0, 3.0])):
        with pytest.raises(ConfigurationError, match="traversal"):
            monotonicity(code, torch.zeros(2, 3))


def stroke(degrees=0.0, width=3.0, size=28, length=18.0, times=8):
    """One line, drawn large and reduced: positive angles lean to the right."""
    picture = Image.new("L", (size * times, size * times))
    middle, angle = size * times / 2, math.radians(degrees)
    right, up = math.sin(angle) * length * times / 2, math.cos(angle) * length * times / 2
    ends = (middle - right, middle + up, middle + right, middle - up)
    ImageDraw.Draw(picture).line(ends, fill=255, width=round(width * times))
    return torch.from_numpy(np.asarray(picture.reduce(times)).copy()).float()[None, None] / 127.5 - 1


@pytest.mark.parametrize("degrees", [-35, -10, 0, 15, 40])
def test_slant_is_the_angle_that_was_drawn(degrees):
    assert float(slant_degrees(stroke(degrees))) == pytest.approx(degrees, abs=1.5)
    assert float(slant_degrees(stroke(degrees).flip(3))) == pytest.approx(-degrees, abs=1.5)
    assert float(slant_degrees(stroke(degrees).roll(3, dims=3))) == pytest.approx(degrees, abs=1.5)


@pytest.mark.parametrize("width", [1.5, 2.0, 3.0, 4.5])
@pytest.mark.parametrize("degrees", [0, 25])
def test_stroke_width_is_the_width_that_was_drawn(width, degrees):
    with_ends = width - width**2 / (3 * 18.0)
    assert float(stroke_width_px(stroke(degrees, width))) == pytest.approx(with_ends, abs=0.3)


def test_each_measures_its_own_thing():
    thick = torch.cat([stroke(20, width) for width in (1.5, 2.5, 3.5, 4.5)])
    leaning = torch.cat([stroke(angle, 3.0) for angle in (-20, 0, 20, 40)])
    assert monotonicity(torch.arange(4.0), stroke_width_px(thick)[None]).mean == 1
    assert float(slant_degrees(thick).std()) < 1
    assert monotonicity(torch.arange(4.0), slant_degrees(leaning)[None]).mean == 1
    assert float(stroke_width_px(leaning).std()) < 0.2


def test_a_picture_without_ink_has_neither():
    blank = torch.full((2, 1, 28, 28), -1.0)
    assert slant_degrees(blank).isnan().all()
    assert stroke_width_px(blank).isnan().all()
