"""The engine's steps against arithmetic done by hand, on a toy game of two 1 x 1 convolutions; and what it refuses."""

import copy
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from game_checks import joint, same, weights
from tiny import (
    CPU,
    Game,
    drawing,
    game_engine,
    game_recipe,
    numbered,
    separate,
    small,
    tiny_engine,
    tiny_method,
    tiny_recipe,
)
from torch import nn

from translate.checkpoint import restore_engine, snapshot_of
from translate.engine import Engine
from translate.errors import ModelError
from translate.method import Turn
from translate.optimisers import Adam

# Steps


def test_an_optimiser_a_network_equals_one_joint_adam_to_the_last_bit():
    engine = game_engine(joint)
    game = Game()
    game.load_state_dict(engine.method.state_dict())
    adam = torch.optim.Adam(game.parameters(), lr=2e-4, betas=(0.5, 0.999))
    ours, theirs = numbered(), numbered()
    for _ in range(20):
        engine.play(ours)
        batch = theirs()
        adam.zero_grad()
        loss = (game.left(batch["a"]) - batch["b"]).square().mean() + 3.0 * game.right(batch["a"]).square().mean()
        loss.backward()
        adam.step()
    assert same(weights(engine), dict(game.state_dict()))


def test_each_network_has_the_rate_of_its_own_optimiser():
    """Adam's first step moves every weight by its learning rate, whatever the gradient."""
    engine = game_engine(optimisers={"left": Adam(learning_rate=0.1), "right": Adam(learning_rate=0.001)})
    before = weights(engine)
    engine.play(numbered())
    for name, rate in (("left.weight", 0.1), ("right.weight", 0.001)):
        moved = (weights(engine)[name] - before[name]).abs()
        torch.testing.assert_close(moved, torch.full_like(moved, rate), rtol=1e-3, atol=0)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_settings_reach_adam(weight_decay):
    config = Adam(learning_rate=0.01, beta1=0.3, beta2=0.7, epsilon=1e-3, weight_decay=weight_decay)
    value = nn.Parameter(torch.tensor([2.0]))
    optimiser = config.build([value])
    first = second = 0.0
    expected = 2.0
    for step, gradient in enumerate((0.5, -1.0, 0.25), start=1):
        value.grad = torch.tensor([gradient])
        optimiser.step()
        first, second = 0.3 * first + 0.7 * gradient, 0.7 * second + 0.3 * gradient**2
        expected *= 1 - 0.01 * weight_decay
        expected -= 0.01 * (first / (1 - 0.3**step)) / (math.sqrt(second / (1 - 0.7**step)) + 1e-3)
    assert value.item() == pytest.approx(expected, rel=1e-6)


def test_terms_are_summed_and_told_by_the_name_of_their_turn():
    engine = game_engine(joint)
    batch = numbered()()
    game = copy.deepcopy(engine.method)
    figures = engine.play(lambda: batch)
    left = (game.left(batch["a"]) - batch["b"]).square().mean()
    second = 3.0 * game.right(batch["a"]).square().mean()
    assert float(figures["both/distance"]) == pytest.approx(float(left), rel=1e-6)
    assert float(figures["both/second"]) == pytest.approx(float(second), rel=1e-6)
    assert float(figures["left_mean"]) == pytest.approx(float(game.left(batch["a"]).mean()), rel=1e-5)
    assert not any(value.requires_grad for value in figures.values())
    game.requires_grad_(True)
    gradients = torch.autograd.grad(
        (game.left(batch["a"]) - batch["b"]).square().mean() + 3.0 * game.right(batch["a"]).square().mean(),
        list(game.parameters()),
    )
    for parameter, gradient in zip(engine.method.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_gradients_do_not_pile_up_from_step_to_step():
    engine = game_engine()
    engine.play(numbered())
    batch = numbered()()
    game = copy.deepcopy(engine.method).requires_grad_(True)
    engine.play(lambda: batch)
    (gradient,) = torch.autograd.grad((game.left(batch["a"]) - batch["b"]).square().mean(), [game.left.weight])
    torch.testing.assert_close(engine.method.left.weight.grad, gradient)


@pytest.mark.parametrize("bound", [0.01, 1e6])
def test_clipping_bounds_the_norm_over_all_networks_of_one_turn(bound):
    def plan(game: Game) -> tuple[Turn, ...]:
        return (Turn(name="both", trains=(game.left, game.right), loss=game.both_loss, clip_norm=bound),)

    free, clipped = game_engine(joint), game_engine(plan)
    free.play(numbered())
    clipped.play(numbered())
    raw = torch.cat([parameter.grad.flatten() for parameter in free.method.parameters()])
    got = torch.cat([parameter.grad.flatten() for parameter in clipped.method.parameters()])
    factor = min(1.0, bound / (float(raw.norm()) + 1e-6))
    torch.testing.assert_close(got, raw * factor)


@pytest.mark.parametrize("own", [None, 1e-2, 1e6])
def test_a_recipes_bound_is_for_turns_without_one_of_their_own(own):
    def plan(game: Game) -> tuple[Turn, ...]:
        left, right = game.plan
        return (replace(left, clip_norm=own), right)

    free, clipped = game_engine(), game_engine(plan, clip_norm=1e-3)
    free.play(numbered())
    clipped.play(numbered())
    for name, bound in (("left", own or 1e-3), ("right", 1e-3)):
        raw, got = (torch.cat([p.grad.flatten() for p in e.networks[name].parameters()]) for e in (free, clipped))
        torch.testing.assert_close(got, raw * min(1.0, bound / (float(raw.norm()) + 1e-6)))
    assert torch.equal(game_engine(clip_norm=0.0).method.left.weight, game_engine().method.left.weight)


def test_clipping_one_turn_leaves_the_other_alone():
    def plan(game: Game) -> tuple[Turn, ...]:
        left, right = game.plan
        return (replace(left, clip_norm=1e-3), right)

    free, clipped = game_engine(), game_engine(plan)
    free.play(numbered())
    clipped.play(numbered())
    assert torch.equal(free.method.right.weight.grad, clipped.method.right.weight.grad)
    total = torch.cat([parameter.grad.flatten() for parameter in clipped.method.left.parameters()]).norm()
    assert float(total) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("parts", [2, 5])
def test_accumulation_is_the_mean_over_the_batches(parts):
    accumulated = game_engine(batch_size=2, accumulate=parts)
    whole = game_engine(batch_size=2 * parts)
    draw = numbered(2)
    batches = [draw() for _ in range(parts)]
    one_batch = {name: torch.cat([batch[name] for batch in batches]) for name in ("a", "b")}
    draw = numbered(2)
    ours = accumulated.play(draw)
    theirs = whole.play(lambda: one_batch)
    for part, full in zip(accumulated.method.parameters(), whole.method.parameters(), strict=True):
        torch.testing.assert_close(part.grad, full.grad)
    assert float(ours["left/distance"]) == pytest.approx(float(theirs["left/distance"]), rel=1e-5)
    assert accumulated.images == whole.images == 2 * parts


# What the engine refuses


def test_two_networks_that_share_a_parameter_are_refused():
    game = Game()
    game.right.weight = game.left.weight
    with pytest.raises(ValueError, match=r"left and right share a parameter"):
        Engine(game, game_recipe(), CPU)


def test_a_turn_that_trains_a_part_of_a_network_is_refused():
    game = Game()
    game.right = nn.Sequential(nn.Conv2d(3, 3, 1))
    game.plan = (game.plan[0], replace(game.plan[1], trains=(game.right[0],)))
    with pytest.raises(ValueError, match=r"'right' trains \['Conv2d'\]"):
        Engine(game, game_recipe(), CPU)


def test_two_turns_of_one_name_are_refused():
    game = Game()
    game.plan = (game.plan[0], replace(game.plan[1], name="left"))
    with pytest.raises(ValueError, match="one name"):
        Engine(game, game_recipe(), CPU)


# Compiling


@pytest.mark.parametrize("wanted", [True, False])
def test_every_network_is_compiled_where_the_recipe_says_so(wanted):
    """Compiling is lazy, so this is quick; the slow test below runs what it makes."""
    engine = game_engine(compile=wanted, average_half_life_images=4.0)
    assert [network._compiled_call_impl is not None for network in engine.networks.values()] == [wanted, wanted]
    assert engine.averaged.method.left._compiled_call_impl is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_gradients_of_compiled_networks_equal_eager_ones(name):
    recipe = tiny_recipe(name, separate)
    eager, compiled = tiny_engine(recipe), tiny_engine(replace(recipe, compile=True))
    assert eager.method.state_dict().keys() == compiled.method.state_dict().keys()
    for _ in range(2):
        ours, theirs = compiled.play(drawing(recipe)), eager.play(drawing(recipe))
        for key, value in theirs.items():
            assert float(ours[key]) == pytest.approx(float(value), rel=1e-4), key
        for key, network in eager.networks.items():
            largest = max(float(p.grad.abs().max()) for p in network.parameters())
            for (path, one), other in zip(compiled.networks[key].named_parameters(), network.parameters(), strict=True):
                torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-4 * largest, msg=f"{key}.{path}")
        compiled.method.load_state(eager.method.state())


# Checkpoints that do not fit


def test_a_checkpoint_of_another_width_is_refused():
    snapshot = snapshot_of(tiny_engine(tiny_recipe("pix2pix")), {})

    def wider(part: Any) -> Any:
        part = small(part)
        return replace(part, width=8) if hasattr(part, "depth") else part

    with pytest.raises(ModelError, match="does not fit its recipe"):
        restore_engine(tiny_engine(tiny_recipe("pix2pix", wider)), snapshot)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"), RuntimeError, "out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), RuntimeError, "can't allocate"),
        (RuntimeError("size mismatch"), ModelError, "does not fit its recipe"),
    ],
)
def test_memory_that_runs_out_while_restoring_is_no_fault_of_the_checkpoint(said, kind, words, monkeypatch):
    def copied(*_: object) -> None:
        raise said

    snapshot = snapshot_of(tiny_engine(tiny_recipe("pix2pix")), {})
    monkeypatch.setattr("translate.checkpoint._load_optimisers", copied)
    with pytest.raises(kind, match=words):
        restore_engine(tiny_engine(tiny_recipe("pix2pix")), snapshot)


def test_missing_and_foreign_tensors_are_named():
    method = tiny_method(tiny_recipe("cyclegan"))
    tensors = method.state()
    lacking = {name: value for name, value in tensors.items() if name != "pool_a.filled"}
    with pytest.raises(RuntimeError, match=r"pool_a\.filled"):
        method.load_state(lacking)
    with pytest.raises(RuntimeError, match="stranger"):
        method.load_state({**tensors, "stranger": torch.zeros(1)})
