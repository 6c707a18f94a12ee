"""When turns are played, on which batch, and at which learning rate."""

import math
from dataclasses import replace

import pytest
from tiny import game_engine, numbered

from translate.engine import Engine
from translate.optimisers import Adam
from translate.recipe import Length
from translate.schedule import Schedule

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
