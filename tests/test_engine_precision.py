"""Half precision: close to float32, weights in float32, and a gradient scale that finds its way."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from game_checks import poison_gradient, poison_loss, same, weights
from tiny import Game, drawing, game_engine, numbered, separate, tiny_engine, tiny_recipe

from translate.bad_steps import MOST_BAD_STEPS
from translate.checkpoint import restore_engine, snapshot_of
from translate.engine import Engine
from translate.errors import DivergedError
from translate.method import Turn
from translate.optimisers import Adam


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
