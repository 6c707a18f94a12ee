"""The engine against arithmetic done by hand, on a toy game of two 1 x 1 convolutions and on the real methods."""

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from tiny import (
    CPU,
    Game,
    batch_of,
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
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from translate.bad_steps import MOST_BAD_STEPS
from translate.checkpoint import restore_engine, snapshot_of
from translate.engine import Engine
from translate.errors import DivergedError, ModelError
from translate.method import Turn
from translate.optimisers import Adam
from translate.recipe import Length
from translate.schedule import Schedule

NAN = float("nan")


def weights(engine: Engine) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in engine.method.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


def joint(game: Game) -> tuple[Turn, ...]:
    return (Turn(name="both", trains=(game.left, game.right), loss=game.both_loss),)


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


# When turns are played, and on which batch


def moves(engine: Engine) -> list[tuple[str, int]]:
    return [(name, number) for name, number, _ in engine.method.seen]


def test_turns_of_an_iteration_share_one_batch():
    engine = game_engine()
    draw = numbered()
    engine.play(draw)
    engine.play(draw)
    assert moves(engine) == [("left", 0), ("right", 0), ("left", 1), ("right", 1)]
    assert (engine.iteration, engine.draws, engine.images) == (2, 2, 4)


def test_every_third_iteration():
    engine = game_engine(lambda game: (replace(game.plan[0], every=3), game.plan[1]))
    draw = numbered()
    for _ in range(5):
        engine.play(draw)
    assert moves(engine) == [
        ("left", 0),
        ("right", 0),
        ("right", 1),
        ("right", 2),
        ("left", 3),
        ("right", 3),
        ("right", 4),
    ]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_repeats_draw_fresh_batches_and_end_on_the_common_one(accumulate):
    engine = game_engine(lambda game: (replace(game.plan[0], repeats=3), game.plan[1]), accumulate=accumulate)
    engine.play(numbered())
    left = [number for name, number in moves(engine) if name == "left"]
    right = [number for name, number in moves(engine) if name == "right"]
    assert len(set(left)) == 3 * accumulate
    assert left[-accumulate:] == right
    assert engine.draws == 3 * accumulate
    assert engine.images == 6 * accumulate


def test_repeats_step_each_time():
    engine = game_engine(lambda game: (replace(game.plan[0], repeats=4), game.plan[1]))
    engine.play(numbered())
    steps = {name: int(optimiser.state_dict()["state"][0]["step"]) for name, optimiser in engine.optimisers.items()}
    assert steps == {"left": 4, "right": 1}


def test_start_and_stop_are_parts_of_the_run_and_stages_do_not_overlap():
    engine = game_engine(
        lambda game: (replace(game.plan[0], stop=0.5), replace(game.plan[1], start=0.5)), length=Length(images=16)
    )
    draw = numbered()
    for _ in range(8):
        engine.play(draw)
    assert moves(engine) == [("left", n) for n in range(4)] + [("right", n) for n in range(4, 8)]


def test_progress_tells_the_images_before_the_iteration():
    engine = game_engine(length=Length(images=10))
    draw = numbered()
    for _ in range(6):
        engine.play(draw)
    fractions = [progress.fraction for name, _, progress in engine.method.seen if name == "left"]
    assert fractions == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_run_whose_length_is_not_in_images_yet_is_at_its_start():
    progress = game_engine(length=Length(epochs=3.0)).progress
    assert (progress.images, progress.total_images, progress.fraction) == (0, 1, 0.0)


# Learning rates


def reference_factor(epoch: int, hold: int, decay: int) -> float:
    """The published code's rule for pix2pix and CycleGAN, by whole epochs counted from 0."""
    return 1.0 - max(0, epoch + 1 - hold) / (decay + 1)


def test_linear_schedule_follows_the_papers_within_an_epoch():
    """The published rule takes a step an epoch and ends at 1/101; ours falls with every image and ends at 0."""
    schedule = Schedule(shape="linear", hold=0.5)
    for epoch in range(200):
        middle = schedule.factor((epoch + 0.5) / 200)
        assert abs(middle - reference_factor(epoch, 100, 100)) <= 1 / 101
    assert [schedule.factor(x) for x in (0.0, 0.5, 0.75, 1.0)] == [1.0, 1.0, 0.5, 0.0]


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.5, 0.8, 0.99, 1.0])
@pytest.mark.parametrize("hold", [0.0, 0.5])
def test_other_schedules(fraction, hold):
    assert Schedule(shape="constant", hold=hold).factor(fraction) == 1.0
    position = max(0.0, (fraction - hold) / (1 - hold))
    expected = (1 + math.cos(math.pi * position)) / 2
    assert Schedule(shape="cosine", hold=hold).factor(fraction) == pytest.approx(expected)
    assert Schedule(shape="linear", hold=1.0).factor(fraction) == 1.0


def test_rates_of_a_run():
    engine = game_engine(
        schedule=Schedule(shape="linear", hold=0.5),
        length=Length(images=16),
        optimisers={"left": Adam(learning_rate=1.0), "right": Adam(learning_rate=0.1)},
    )
    draw, rates = numbered(), []
    for _ in range(8):
        engine.play(draw)
        rates.append([optimiser.param_groups[0]["lr"] for optimiser in engine.optimisers.values()])
    factors = [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert rates == [pytest.approx([factor, 0.1 * factor]) for factor in factors]


# Averaged weights


def test_average_equals_torchs_ema_once_the_half_life_holds():
    engine = game_engine(average_half_life_images=10.0)
    engine.draws = 500
    torchs = AveragedModel(engine.method.left, multi_avg_fn=get_ema_multi_avg_fn(0.5 ** (2 / 10)))
    torchs.update_parameters(engine.method.left)
    draw = numbered()
    for _ in range(25):
        engine.play(draw)
        torchs.update_parameters(engine.method.left)
    averages = engine.averaged.method.left.state_dict()
    for name, value in torchs.module.state_dict().items():
        torch.testing.assert_close(averages[name], value)
    assert not torch.equal(averages["weight"], engine.method.left.weight)


@pytest.mark.parametrize("repeats", [1, 3])
def test_average_starts_short_and_counts_every_image(repeats):
    """beta = 0.5 ** (new images / min(half-life, a tenth of all images)), by hand in float64."""
    engine = game_engine(
        lambda game: (replace(game.plan[0], repeats=repeats), game.plan[1]),
        average_half_life_images=4.0,
        optimisers={"left": Adam(learning_rate=0.05), "right": Adam()},
    )
    expected = engine.method.left.weight.detach().double()
    draw, images = numbered(), 0
    for _ in range(40):
        engine.play(draw)
        images += 2 * repeats
        keep = 0.5 ** (2 * repeats / min(4.0, 0.1 * images))
        expected = keep * expected + (1 - keep) * engine.method.left.weight.detach().double()
    torch.testing.assert_close(engine.averaged.method.left.weight.double(), expected, rtol=1e-5, atol=1e-6)


def test_without_a_half_life_users_get_the_last_weights():
    engine = game_engine(average_half_life_images=0.0)
    engine.play(numbered())
    assert engine.averaged.method is engine.method


@pytest.mark.parametrize("half_life", [0.5, 4.0])
def test_only_what_users_run_is_averaged(half_life):
    engine = game_engine(average_half_life_images=half_life)
    engine.play(numbered())
    assert engine.averaged.method is not engine.method
    assert not any(parameter.requires_grad for parameter in engine.averaged.method.parameters())
    assert {name.partition(".")[0] for name in engine.averaged.tensors()} == {"left"}


def test_averages_have_the_running_statistics_averaged_as_the_weights_and_the_counters_as_they_are():
    recipe = tiny_recipe("pix2pix", average_half_life_images=5.0)
    engine = tiny_engine(recipe)
    generator = engine.method.generator
    expected = {name: value.double() for name, value in generator.named_buffers()}
    for iteration in range(3):
        engine.play(lambda index=iteration: batch_of(recipe, index))
        keep = 0.5 ** (2 / min(5.0, 0.1 * engine.images))
        for name, value in generator.named_buffers():
            share = 0.0 if "num_batches" in name else keep
            expected[name] = share * expected[name] + (1 - share) * value
    twins = dict(engine.averaged.method.generator.named_buffers())
    assert any("running_var" in name for name in twins)
    for name, value in expected.items():
        torch.testing.assert_close(twins[name].double(), value, rtol=1e-5, atol=1e-7)
    assert any(not torch.equal(twins[name], value) for name, value in generator.named_buffers())


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


# What is not finite


def poisoned_gradient(loss: Tensor) -> Tensor:
    """The value stays finite; the gradient is 0 * inf."""
    return loss + (loss.detach() * 0 + 0.0 * loss).sqrt()


def poison_weight(engine: Engine) -> None:
    engine.method.left.bias.data[1] = NAN


def poison_loss(engine: Engine) -> None:
    engine.method.poison["left"] = lambda loss: loss * NAN


def poison_gradient(engine: Engine) -> None:
    engine.method.poison["left"] = poisoned_gradient


def poison_nothing(engine: Engine) -> None:
    engine.method.poison.clear()


def drawing_bad_pictures(domain: str):
    draw = numbered()

    def bad() -> dict[str, Tensor]:
        batch = dict(draw())
        batch[domain] = batch[domain].clone()
        batch[domain][0, 0, 0, 0] = math.inf
        return batch

    return bad


@pytest.mark.parametrize(
    ("poison", "draw", "named"),
    [
        (poison_weight, numbered(), "weight left.bias"),
        (poison_loss, numbered(), "loss left/distance"),
        (poison_gradient, numbered(), "gradient of left.weight"),
        (poison_nothing, drawing_bad_pictures("a"), "pictures of domain a"),
        (poison_nothing, drawing_bad_pictures("b"), "pictures of domain b"),
    ],
)
def test_five_bad_steps_in_a_row_end_the_run_and_name_the_first_bad_tensor(poison, draw, named):
    engine = game_engine(average_half_life_images=4.0)
    engine.play(numbered())
    poison(engine)
    before, moments = weights(engine), copy.deepcopy(engine.optimisers["left"].state_dict())
    for _ in range(MOST_BAD_STEPS - 1):
        engine.play(draw)
    with pytest.raises(
        DivergedError, match=rf"5 or more steps in a row of turn 'left'.*first bad tensor: {named}"
    ) as caught:
        engine.play(draw)
    assert caught.value.exit_code == 7
    for name, value in weights(engine).items():
        if name.startswith("left"):
            assert torch.equal(value.nan_to_num(7.0), before[name].nan_to_num(7.0))
    after = engine.optimisers["left"].state_dict()["state"]
    for index, entry in moments["state"].items():
        assert all(torch.equal(after[index][key], value) for key, value in entry.items())


def test_the_other_turn_plays_on_and_does_not_reset_the_count():
    engine = game_engine()
    poison_loss(engine)
    draw, before = numbered(), weights(engine)
    for _ in range(MOST_BAD_STEPS - 1):
        engine.play(draw)
    assert engine.bad_steps.read() == {"left": MOST_BAD_STEPS - 1, "right": 0}
    assert not torch.equal(weights(engine)["right.weight"], before["right.weight"])


def test_a_good_step_resets_the_count():
    engine = game_engine()
    draw = numbered()
    for _ in range(3):
        poison_loss(engine)
        for _ in range(MOST_BAD_STEPS - 1):
            engine.play(draw)
        poison_nothing(engine)
        engine.play(draw)
        assert engine.bad_steps.read() == {"left": 0, "right": 0}


def test_the_count_of_bad_steps_is_part_of_a_checkpoint():
    engine = game_engine()
    poison_loss(engine)
    for _ in range(3):
        engine.play(numbered())
    snapshot = snapshot_of(engine, {})
    resumed = game_engine()
    restore_engine(resumed, snapshot)
    assert json.loads(json.dumps(snapshot.documents["progress"]))["bad_steps"] == {"left": 3, "right": 0}
    assert resumed.bad_steps.read() == {"left": 3, "right": 0}


def bad_last_loss(engine: Engine, turn_name: str) -> None:
    """The turn's forward passes run as ever; only its loss is not finite."""
    engine.turns = tuple(
        replace(
            turn, loss=lambda batch, progress, loss=turn.loss: {k: v * NAN for k, v in loss(batch, progress).items()}
        )
        if turn.name == turn_name
        else turn
        for turn in engine.turns
    )


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_a_bad_step_leaves_running_statistics_and_its_opponents_turn_alone(name):
    """pix2pix's discriminator is first: the generator then learns through the fake of the failed turn."""

    def with_statistics(part: Any) -> Any:
        part = small(part)
        return replace(part, norm="batch") if hasattr(part, "norm") else part

    recipe = tiny_recipe(name, with_statistics)
    engine = tiny_engine(recipe)
    engine.play(drawing(recipe))
    first = engine.turns[0]
    bad_last_loss(engine, first.name)
    before = weights(engine)
    others = engine.turns[1:]
    engine.turns = engine.turns[:1]
    engine.play(drawing(recipe))
    assert same(weights(engine), before)
    engine.turns = (*engine.turns, *others)
    engine.play(drawing(recipe))
    movers = {key for key, network in engine.networks.items() if any(network in turn.trains for turn in others)}
    moved = {key.partition(".")[0] for key, value in weights(engine).items() if not torch.equal(value, before[key])}
    assert movers <= moved


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_bad_pictures_leave_nothing_bad_behind(name):
    recipe = tiny_recipe(name)
    engine = tiny_engine(recipe)
    bad = {key: torch.full_like(value, NAN) for key, value in batch_of(recipe).items()}
    for _ in range(MOST_BAD_STEPS - 1):
        engine.play(lambda: bad)
    engine.refuse_bad_weights()
    engine.play(drawing(recipe))
    assert set(engine.bad_steps.read().values()) == {0}


@pytest.mark.parametrize("where", ["trained", "averaged"])
def test_a_bad_weight_is_never_saved(where):
    """Each by itself: a good average does not hide a bad weight."""
    engine = game_engine(average_half_life_images=4.0)
    engine.play(numbered())
    assert snapshot_of(engine, {}) is not None
    method = engine.method if where == "trained" else engine.averaged.method
    method.left.weight.data[0, 0, 0, 0] = -math.inf
    with pytest.raises(DivergedError, match=r"weight (average of )?left\.weight is not finite"):
        snapshot_of(engine, {})


def test_a_step_is_bad_where_any_part_of_an_accumulated_batch_is():
    engine = game_engine(accumulate=2)
    good, bad = numbered(), drawing_bad_pictures("b")
    turn = iter(range(100))
    before = weights(engine)
    engine.play(lambda: good() if next(turn) % 2 == 0 else bad())
    assert same(weights(engine), before)
    assert engine.bad_steps.read() == {"left": 1, "right": 1}


# Precision


def run(precision: str, steps: int = 30, **changes: Any) -> Engine:
    engine = game_engine(precision=precision, optimisers={"left": Adam(learning_rate=0.01), "right": Adam()}, **changes)
    draw = numbered()
    for _ in range(steps):
        engine.play(draw)
    return engine


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_networks_compute_in_half_precision_and_weights_stay_float32(precision, dtype):
    engine = game_engine(precision=precision)
    seen: list[torch.dtype] = []
    engine.method.left.register_forward_hook(lambda _m, _i, output: seen.append(output.dtype))
    figures = engine.play(numbered())
    assert seen == [dtype]
    assert {tensor.dtype for tensor in engine.method.state_dict().values()} == {torch.float32}
    assert {value.dtype for value in figures.values()} == {torch.float32}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_close_to_float32(precision):
    ours, theirs = run(precision), run("fp32")
    start = game_engine().method.left.weight
    moved = theirs.method.left.weight - start
    torch.testing.assert_close(ours.method.left.weight - start, moved, rtol=0.05, atol=0.05 * float(moved.abs().max()))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_methods_losses_in_half_precision_are_close_to_float32(name, precision):
    figures = [
        tiny_engine(tiny_recipe(name, separate, precision=kind)).play(drawing(tiny_recipe(name, separate)))
        for kind in (precision, "fp32")
    ]
    assert figures[0].keys() == figures[1].keys()
    for key, value in figures[1].items():
        assert float(figures[0][key]) == pytest.approx(float(value), rel=0.03, abs=0.01), key


def test_gradient_scale_is_taken_off_before_clipping_and_stepping():
    def plan(game: Game) -> tuple[Turn, ...]:
        return (Turn(name="both", trains=(game.left, game.right), loss=game.both_loss, clip_norm=0.01),)

    engine, plain = game_engine(plan, precision="fp16"), game_engine(plan)
    assert engine.scaler.get_scale() == 65536.0
    engine.scaler.load_state_dict({**engine.scaler.state_dict(), "scale": 128.0})
    engine.play(numbered())
    plain.play(numbered())
    for one, other in zip(engine.method.parameters(), plain.method.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0.02, atol=1e-5)


def test_an_overflow_skips_the_step_and_halves_the_scale_without_counting_as_bad():
    engine = game_engine(precision="fp16")
    engine.scaler.load_state_dict({**engine.scaler.state_dict(), "scale": 2.0**40})
    before = weights(engine)
    engine.play(numbered())
    assert same(weights(engine), before)
    assert engine.bad_steps.read() == {"left": 0, "right": 0}
    assert engine.scaler.get_scale() == 2.0**38, "each of the two turns halves it once"
    draw = numbered()
    for _ in range(20):
        engine.play(draw)
    assert not torch.equal(weights(engine)["left.weight"], before["left.weight"])


def test_overflows_that_no_scale_mends_end_the_run():
    engine = game_engine(lambda game: (game.plan[0],), precision="fp16", optimisers={"left": Adam()})
    poison_gradient(engine)
    before, draw = weights(engine), numbered()

    def play_long() -> None:
        for _ in range(60):
            engine.play(draw)

    with pytest.raises(DivergedError, match="gradient of left"):
        play_long()
    assert same(weights(engine), before)
    assert engine.iteration < 30


def test_bad_losses_in_fp16_end_the_run_and_do_not_break_the_scaler():
    engine = game_engine(precision="fp16")
    poison_loss(engine)
    draw = numbered()
    for _ in range(MOST_BAD_STEPS - 1):
        engine.play(draw)
    with pytest.raises(DivergedError, match="loss left/distance"):
        engine.play(draw)


def test_scaler_is_part_of_a_checkpoint():
    straight = run("fp16", 8)
    stopped = run("fp16", 3)
    snapshot = snapshot_of(stopped, {})
    documents = json.loads(json.dumps(snapshot.documents))
    resumed = game_engine(precision="fp16", optimisers={"left": Adam(learning_rate=0.01), "right": Adam()})
    restore_engine(resumed, replace(snapshot, documents=documents))
    draw = numbered()
    for _ in range(3):
        draw()
    for _ in range(5):
        resumed.play(draw)
    assert same(weights(resumed), weights(straight))
    assert resumed.scaler.state_dict() == straight.scaler.state_dict()


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


def test_missing_and_foreign_tensors_are_named():
    method = tiny_method(tiny_recipe("cyclegan"))
    tensors = method.state()
    lacking = {name: value for name, value in tensors.items() if name != "pool_a.filled"}
    with pytest.raises(RuntimeError, match=r"pool_a\.filled"):
        method.load_state(lacking)
    with pytest.raises(RuntimeError, match="stranger"):
        method.load_state({**tensors, "stranger": torch.zeros(1)})
