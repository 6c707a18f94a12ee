"""Learning rates at other batch sizes than they are meant for, against the papers' formulas and gradient steps."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import game_engine, game_recipe, numbered

from pipelines.recipes import recipe_named
from pipelines.trained import config_class
from translate.errors import ConfigurationError
from translate.optimisers import SGD, Adam
from translate.rates import rate_factor, scaled_by
from translate.recipe import Length, RateRule, from_json, to_json
from translate.schedule import Schedule


@pytest.mark.parametrize(("rule", "expected"), [("none", 1.0), ("linear", 16.0), ("square-root", 4.0)])
def test_the_rules_are_the_papers(rule: RateRule, expected: float):
    assert scaled_by(rule, batch=16, rate_batch=1) == expected
    assert scaled_by(rule, batch=32, rate_batch=2) == expected
    assert scaled_by(rule, batch=2, rate_batch=32) == pytest.approx(1 / expected)
    assert scaled_by(rule, batch=5, rate_batch=5) == 1.0


def test_linear_makes_one_large_step_of_many_small_ones():
    """Goyal et al., equations 3 and 4: k SGD steps of rate r, if gradients change little, are one of rate k r."""
    weight = torch.zeros(3, dtype=torch.float64)
    samples = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def gradient(batch: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return (at - batch).mean(dim=0)

    small = weight.clone()
    for sample in samples:
        small -= 1e-6 * gradient(sample[None], small)
    moved = {
        rule: weight - 1e-6 * scaled_by(rule, batch=8, rate_batch=1) * gradient(samples, weight)
        for rule in ("none", "linear", "square-root")
    }
    torch.testing.assert_close(moved["linear"], small, rtol=1e-4, atol=0)
    assert not torch.allclose(moved["square-root"], small, rtol=0.1, atol=0)


def test_square_root_keeps_the_noise_of_a_step():
    """Krizhevsky 2014: the standard deviation of a step is the rate times that of a mean over the batch."""
    draws = torch.randn(20_000, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    noise = {
        rule: float(scaled_by(rule, batch=16, rate_batch=1) * draws.mean(dim=1).std())
        for rule in ("linear", "square-root")
    }
    assert noise["square-root"] == pytest.approx(float(draws[:, 0].std()), rel=0.03)
    assert noise["linear"] > 3.0


def test_a_batch_is_what_one_step_learns_from():
    recipe = game_recipe(batch_size=4, accumulate=3, rate_rule="linear", rate_batch=2)
    assert rate_factor(recipe, images=0) == 6.0
    assert rate_factor(recipe, images=0, world=5) == 30.0


@pytest.mark.parametrize(
    ("rule", "images", "expected"),
    [
        # Goyal et al., section 2.2: from r to k r, by as much at each step.
        ("linear", 0, 1.0),
        ("linear", 25, 4.75),
        ("linear", 50, 8.5),
        ("linear", 100, 16.0),
        ("linear", 101, 16.0),
        ("square-root", 50, 2.5),
        # Nothing was raised, so it rises from 0.
        ("none", 0, 0.0),
        ("none", 50, 0.5),
        ("none", 100, 1.0),
    ],
)
def test_warm_up_is_a_straight_line(rule: RateRule, images: int, expected: float):
    recipe = game_recipe(batch_size=16, rate_rule=rule, rate_batch=1, schedule=Schedule(warmup_images=100))
    assert rate_factor(recipe, images=images) == pytest.approx(expected)


def test_without_warm_up_the_first_step_has_the_whole_rate():
    recipe = game_recipe(batch_size=16, rate_rule="linear", rate_batch=1)
    assert rate_factor(recipe, images=0) == rate_factor(recipe, images=10**9) == 16.0
    with pytest.raises(ConfigurationError, match=r"schedule\.warmup-images is -1"):
        Schedule(warmup_images=-1)


def _moved(images: int = 2, **changes: Any) -> torch.Tensor:
    """How far the first network went in the step that began after `images`."""
    engine = game_engine(optimisers={"left": SGD(learning_rate=0.1), "right": SGD(learning_rate=0.1)}, **changes)
    engine.draws = images // 2
    before = engine.method.left.weight.detach().clone()  # pyright: ignore[reportAttributeAccessIssue]
    engine.play(numbered())
    return engine.method.left.weight.detach() - before  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rate_rule": "linear", "rate_batch": 1}, 2.0),
        ({"rate_rule": "square-root", "rate_batch": 1}, 2.0**0.5),
        ({"rate_rule": "none", "rate_batch": 1}, 1.0),
        ({"rate_rule": "linear", "rate_batch": 2}, 1.0),
        ({"schedule": Schedule(shape="constant", warmup_images=8)}, 0.25),
    ],
)
def test_the_engine_steps_so_much_farther(changes: dict[str, Any], expected: float):
    torch.testing.assert_close(_moved(**changes), expected * _moved(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("fused", [False, True])
def test_the_decay_of_squared_gradients_rises(fused: bool):
    """Adam without momentum, written out: v = b v + (1 - b) g^2, w -= rate g / (sqrt(v / (1 - b^t)) + epsilon)."""
    adam = Adam(learning_rate=0.01, beta1=0.0, beta2=0.9, beta2_start=0.5, beta2_until=0.5, fused=fused)
    engine = game_engine(
        optimisers={"left": adam, "right": Adam()}, length=Length(images=8), schedule=Schedule(shape="constant")
    )
    weight: torch.Tensor = engine.method.left.weight  # pyright: ignore[reportAttributeAccessIssue, reportAssignmentType]
    gradients: list[torch.Tensor] = []
    engine.optimisers["left"].register_step_pre_hook(lambda *_: gradients.append(weight.grad.clone()))  # pyright: ignore[reportOptionalMemberAccess]
    expected, squared = weight.detach().clone(), torch.zeros_like(weight)
    batches = numbered()
    for step, beta in enumerate((0.5, 0.7, 0.9, 0.9), start=1):  # at 0, 1/4, 1/2 and 3/4 of the run
        engine.play(batches)
        squared = beta * squared + (1 - beta) * gradients[-1] ** 2
        expected -= 0.01 * gradients[-1] / ((squared / (1 - beta**step)).sqrt() + adam.epsilon)
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-5, atol=1e-7)
    with pytest.raises(ConfigurationError, match=r"beta2-start is 1\.0"):
        Adam(beta2_start=1.0)


def test_runs_stored_before_this_existed_read_as_they_were():
    recipe = recipe_named("pix2pix")
    text = to_json(recipe).replace('"warmup_images": 0', '"x": 0')
    text = text.replace(',\n    "x": 0', "")
    assert "warmup_images" not in text
    assert '"x"' not in text
    assert from_json(text, config_class) == recipe
    changed = replace(recipe, schedule=replace(recipe.schedule, warmup_images=5))
    assert from_json(to_json(changed), config_class) == changed
