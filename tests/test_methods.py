"""What holds for every method, whatever its paper: who moves, and on what. A new method is tested by being there."""

import copy
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from every_method import INPUT_LAYERS, KINDS, as_played_now, bits, every_kind, every_recipe, every_translator
from tiny import RECIPES, batch_of, drawing, separate, tiny_engine, tiny_method, tiny_recipe, with_rate
from torch import Tensor, nn

from pipelines.methods import method_names
from pipelines.training.session import require_optimisers
from translate.engine import Engine
from translate.errors import ConfigurationError
from translate.method import Turn
from translate.recipe import Recipe


def test_every_method_has_a_recipe_and_a_test_of_its_formulas():
    here = Path(__file__).parent
    assert set(method_names()) <= set(RECIPES)
    assert [name for name in method_names() if not (here / f"test_formulas_{name}.py").exists()] == []


# Who moves


def parameters(network: nn.Module) -> dict[str, str]:
    return bits(dict(network.named_parameters()))


def buffers(network: nn.Module) -> dict[str, str]:
    return bits(dict(network.named_buffers()))


@contextmanager
def ran_in_training_mode(networks: Mapping[str, nn.Module]) -> Iterator[set[str]]:
    """The names of the networks of which any layer with weights ran in training mode."""
    ran: set[str] = set()

    def note(name: str):
        def hook(module: nn.Module, *_: Any) -> None:
            if module.training:
                ran.add(name)

        return hook

    handles = [
        layer.register_forward_pre_hook(note(name))
        for name, network in networks.items()
        for layer in network.modules()
        if isinstance(layer, INPUT_LAYERS)
    ]
    try:
        yield ran
    finally:
        for handle in handles:
            handle.remove()


@every_recipe
@every_kind
def test_in_each_turn_only_the_movers_move(name: str, kind: str):
    engine = tiny_engine(tiny_recipe(name, KINDS[kind]))
    draw = drawing(engine.recipe)
    for turn in engine.method.turns():
        before = {key: (parameters(net), buffers(net)) for key, net in engine.networks.items()}
        engine.turns = (as_played_now(turn),)
        with ran_in_training_mode(engine.networks) as ran:
            engine.play(draw)
        for key, network in engine.networks.items():
            moved = parameters(network) != before[key][0]
            assert moved == (network in turn.trains), f"{key} in turn {turn.name}"
            if buffers(network) != before[key][1]:
                assert key in ran, f"{key} has other running statistics, but never ran in training mode"


@every_recipe
@every_kind
def test_one_iteration_moves_every_network_and_leaves_no_gradient_switched_on(name: str, kind: str):
    engine = tiny_engine(tiny_recipe(name, KINDS[kind]))
    before = {key: parameters(network) for key, network in engine.networks.items()}
    frozen = bits({k: v for k, v in engine.method.state_dict().items() if k not in engine.method.state()})
    engine.turns = tuple(as_played_now(turn) for turn in engine.turns)
    engine.play(drawing(engine.recipe))
    after = {key: parameters(network) for key, network in engine.networks.items()}
    assert [key for key in before if before[key] == after[key]] == []
    assert not any(parameter.requires_grad for parameter in engine.method.parameters())
    assert bits({k: v for k, v in engine.method.state_dict().items() if k not in engine.method.state()}) == frozen


@every_recipe
def test_each_turn_lowers_its_own_loss_while_its_opponents_are_frozen(name: str):
    recipe = with_rate(tiny_recipe(name, average_half_life_images=0.0), 2e-3)
    for turn in tiny_method(recipe).turns():
        engine = tiny_engine(recipe)
        engine.turns = tuple(as_played_now(own) for own in engine.turns if own.name == turn.name)
        terms = tuple(f"{turn.name}/{term}" for term in term_names(engine, turn))
        draw, losses = drawing(recipe), []
        for _ in range(40):
            figures = engine.play(draw)
            losses.append(sum(float(figures[term]) for term in terms))
        first, last = losses[0], float(np.mean(losses[-5:]))
        assert last < first - 0.02 * abs(first), f"turn {turn.name}: {first} became {last}"


def term_names(engine: Engine, turn: Turn) -> tuple[str, ...]:
    played = copy.deepcopy(engine)
    names = played.play(drawing(engine.recipe))
    return tuple(name.partition("/")[2] for name in names if name.startswith(f"{turn.name}/"))


# Recipes


@every_recipe
def test_optimisers_are_exactly_those_of_the_networks(name: str):
    recipe = tiny_recipe(name)
    method = tiny_method(recipe)
    require_optimisers(recipe, method)
    trained = {id(p) for network in method.networks().values() for p in network.parameters()}
    assert {id(p) for p in method.parameters()} == trained, "a parameter that no turn trains"
    lacking: Recipe[Any] = replace(recipe, optimisers=dict(list(recipe.optimisers.items())[1:]))
    with pytest.raises(ConfigurationError, match=next(iter(recipe.optimisers))):
        require_optimisers(lacking, method)


@every_recipe
def test_initial_weights_follow_from_the_seed(name: str):
    recipe = tiny_recipe(name)
    one, same, other = (bits(tiny_method(recipe, seed).state()) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert all(math.isfinite(float(value.double().sum())) for value in tiny_method(recipe).state().values())


@every_translator  # generators draw noise, other numbers for other batches
def test_accumulated_gradients_equal_those_of_one_larger_batch(name: str):
    """For networks without statistics over the batch; the loss terms are means over equal parts."""
    small_recipe = tiny_recipe(name, separate, batch_size=1, accumulate=3)
    large_recipe = tiny_recipe(name, separate, batch_size=3)
    parts, whole = tiny_engine(small_recipe), tiny_engine(large_recipe)
    pictures = batch_of(large_recipe)
    singles = iter(range(10**6))

    def draw_one() -> Mapping[str, Tensor]:
        index = next(singles) % 3
        return {key: value[index : index + 1] for key, value in pictures.items()}

    for turn, twin in zip(parts.method.turns(), whole.method.turns(), strict=True):
        parts.turns, whole.turns = (as_played_now(turn),), (as_played_now(twin),)
        parts.play(draw_one)
        whole.play(lambda: pictures)
        for key, network in whole.networks.items():
            if network in twin.trains:
                assert_gradients_close(parts.networks[key], network)
        whole.method.load_state(parts.method.state())


def assert_gradients_close(ours: nn.Module, expected: nn.Module) -> None:
    pairs = list(zip(ours.parameters(), expected.parameters(), strict=True))
    largest = max(float(parameter.grad.abs().max()) for _, parameter in pairs if parameter.grad is not None)
    # The gradient of a discriminator's last bias is a difference of nearly equal means, and that of a bias before
    # an instance norm is zero: rounding has a floor.
    atol = max(1e-6, 5e-5 * largest)
    for one, other in pairs:
        assert one.grad is not None
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=atol)
