"""Averaged weights against torch's own average and against arithmetic in float64."""

from dataclasses import replace

import pytest
import torch
from tiny import batch_of, game_engine, numbered, tiny_engine, tiny_recipe
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from translate.optimisers import Adam


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
