"""Of every method: a fake is made once in an iteration, and both sides learn from it."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from every_method import INPUT_LAYERS, KINDS, as_played_now, digest, engine_batch, every_kind, every_recipe
from tiny import drawing, tiny_engine, tiny_recipe
from torch import Tensor, nn

from translate.averaging import deployed_networks
from translate.engine import Engine
from translate.method import Progress, Turn
from translate.networks.sample_discriminators import SampleDiscriminator


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What entered each network, by turn: a digest of every input of its first layer, in order."""

    by_turn: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))


@contextmanager
def watching(engine: Engine) -> Iterator[Seen]:
    """Turn names are noted by wrapping each turn's loss; calls, by a hook on each network's first layer."""
    seen, playing = Seen(), [""]

    def noting(turn: Turn):
        def loss(batch: Any, progress: Any) -> Any:
            playing[0] = turn.name
            return turn.loss(batch, progress)

        return loss

    def hook(name: str):
        def note(_layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen.by_turn[playing[0]][name].append(digest(inputs[0]))

        return note

    handles = [first_layer(net).register_forward_pre_hook(hook(name)) for name, net in engine.networks.items()]
    before, engine.turns = engine.turns, tuple(replace(turn, loss=noting(turn)) for turn in engine.turns)
    try:
        yield seen
    finally:
        engine.turns = before
        for handle in handles:
            handle.remove()


def first_layer(network: nn.Module) -> nn.Module:
    """What samples enter as they are; a trunk first disturbs them, and puts a learnt code of their class beside."""
    if isinstance(network, SampleDiscriminator):
        return network.body
    return next(layer for layer in network.modules() if isinstance(layer, INPUT_LAYERS))


@every_recipe
@every_kind
def test_no_network_of_the_users_computes_the_same_thing_twice_in_an_iteration(name: str, kind: str):
    engine = tiny_engine(tiny_recipe(name, KINDS[kind]))
    with watching(engine) as seen:
        engine.play(drawing(engine.recipe))
    judges = engine.method.scores(engine_batch(engine))  # a penalty looks at them again, at other gradients
    for name_, network in deployed_networks(engine.method).items():
        if name_ in judges:
            continue
        calls: list[str] = []
        for turn in engine.turns:
            calls += seen.by_turn[turn.name][name_]
            assert len(set(calls)) == len(calls), f"{name_} was run twice on one input"
            if network in turn.trains:  # it is another network from here on
                calls = []
        assert any(turn[name_] for turn in seen.by_turn.values())


def turns_at_the_end(engine: Engine) -> list[Turn]:
    return [turn for turn in engine.turns if turn.is_due(0, Progress(images=1, total_images=1))]


@every_recipe
@every_kind
def test_opponents_learn_from_the_very_fake_that_the_generator_learns_from(name: str, kind: str):
    engine = tiny_engine(tiny_recipe(name, KINDS[kind]))
    used = deployed_networks(engine.method)
    # Of a method with stages, the last one.
    engine.turns = tuple(map(as_played_now, turns_at_the_end(engine)))
    with watching(engine) as seen:
        engine.play(drawing(engine.recipe))
    for turn in engine.turns:
        for key, network in engine.networks.items():
            if network in turn.trains and key not in used:
                own = set(seen.by_turn[turn.name][key])
                others = {call for other, nets in seen.by_turn.items() if other != turn.name for call in nets[key]}
                assert own & others, f"{key} learns from other pictures than those that it judges"


@every_recipe
@every_kind
def test_no_turn_gives_a_gradient_to_a_network_that_is_not_on_the_move(name: str, kind: str):
    engine = tiny_engine(tiny_recipe(name, KINDS[kind]))
    draw = drawing(engine.recipe)
    for turn in engine.method.turns():
        engine.turns = engine.method.turns()
        engine.method.zero_grad(set_to_none=True)
        others = [own for own in engine.turns if own.name != turn.name]
        engine.turns = (*(replace(own, start=2.0) for own in others), as_played_now(turn))
        # The opponents still count as movers of this iteration, so that what they make is made with its graph.
        engine._draw = drawing_for_all(engine)
        engine.play(draw)
        with_gradient = {
            key for key, net in engine.networks.items() if any(p.grad is not None for p in net.parameters())
        }
        assert with_gradient == {key for key, net in engine.networks.items() if net in turn.trains}


def drawing_for_all(engine: Engine):
    all_turns = list(engine.method.turns())
    return lambda draw, _due: type(engine)._draw(engine, draw, all_turns)
