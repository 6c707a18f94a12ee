"""Steps that are not finite: skipped, counted, told of, and never saved."""

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from game_checks import (
    NAN,
    drawing_bad_pictures,
    poison_gradient,
    poison_loss,
    poison_nothing,
    poison_weight,
    same,
    weights,
)
from tiny import batch_of, drawing, game_engine, numbered, small, tiny_engine, tiny_recipe

from translate.bad_steps import MOST_BAD_STEPS
from translate.checkpoint import restore_engine, snapshot_of
from translate.engine import Engine
from translate.errors import DivergedError


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
