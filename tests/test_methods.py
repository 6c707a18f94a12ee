"""What holds for every method, whatever its paper. A new method is tested by being there."""

import copy
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import (
    CPU,
    DROPPING,
    RECIPES,
    TRANSLATING,
    batch_of,
    card_of,
    drawing,
    drawing_by_position,
    for_any_ports,
    noisy,
    projected,
    separate,
    small,
    tiny_engine,
    tiny_method,
    tiny_recipe,
    with_rate,
)
from torch import Tensor, nn

from pipelines.methods import method_class, method_names
from pipelines.tasks import TASKS
from pipelines.trained import config_class
from pipelines.training.session import require_optimisers
from translate.averaging import deployed_networks
from translate.card import Card
from translate.checkpoint import restore_engine, snapshot_of
from translate.engine import Engine
from translate.errors import ConfigurationError
from translate.method import Deploy, Progress, Turn
from translate.networks.sample_discriminators import SampleDiscriminator
from translate.recipe import Recipe, from_json, to_json
from translate.runtime.rows import drawn, stacked
from translate.runtime.torch import TorchRuntime
from translate.storage.snapshot import Snapshot, read_snapshot, write_snapshot

KINDS = {"small": small, "noisy": noisy, "projected": projected}
PORTS = {"rgb": (("rgb",), ("rgb",)), "ports": (("rgb", "labels:3"), ("grey",)), "labels": (("rgba",), ("labels:4",))}
INPUT_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.Embedding)

every_recipe = pytest.mark.parametrize("name", RECIPES)
every_translator = pytest.mark.parametrize("name", TRANSLATING)
every_kind = pytest.mark.parametrize("kind", KINDS)


def test_every_method_has_a_recipe_and_a_test_of_its_formulas():
    here = Path(__file__).parent
    assert set(method_names()) <= set(RECIPES)
    assert [name for name in method_names() if not (here / f"test_formulas_{name}.py").exists()] == []


# Who moves


def digest(tensor: Tensor) -> str:
    """Short, so that a failure's report is too."""
    return hashlib.sha256(tensor.detach().cpu().contiguous().numpy().tobytes()).hexdigest()[:12]


def bits(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: digest(tensor) for name, tensor in tensors.items()}


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


def turns_at_the_end(engine: Engine) -> list[Turn]:
    return [turn for turn in engine.turns if turn.is_due(0, Progress(images=1, total_images=1))]


def as_played_now(turn: Turn) -> Turn:
    return replace(turn, every=1, start=0.0, stop=1.0)


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


# Fakes are made once, and shared


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


# Resume


def state_of(engine: Engine) -> dict[str, Any]:
    """All that decides how the run goes on, as bytes; made independently of the checkpoint's own lists."""
    moments = {
        f"{name}.{index}.{key}": value
        for name, optimiser in engine.optimisers.items()
        for index, entry in optimiser.state_dict()["state"].items()
        for key, value in entry.items()
    }
    return {
        "method": bits(engine.method.state_dict()),
        "averaged": {
            key: bits(network.state_dict()) for key, network in deployed_networks(engine.averaged.method).items()
        },
        "moments": bits(moments),
        "random": digest(torch.get_rng_state()),
        "rates": [group["lr"] for optimiser in engine.optimisers.values() for group in optimiser.param_groups],
        "position": (engine.iteration, engine.draws, engine.bad_steps.read()),
    }


def played(engine: Engine, iterations: int) -> Engine:
    draw = drawing_by_position(engine)
    for _ in range(iterations):
        engine.play(draw)
    return engine


def in_process(snapshot: Snapshot, _folder: Path) -> Snapshot:
    return snapshot


def through_storage(snapshot: Snapshot, folder: Path) -> Snapshot:
    write_snapshot(folder / "s", snapshot)
    return read_snapshot(folder / "s")


@every_recipe
@every_kind
@pytest.mark.parametrize("carry", [in_process, through_storage])
def test_resume_equals_a_straight_run_to_the_last_bit(name: str, kind: str, carry: Any, tmp_path: Path):
    recipe = tiny_recipe(name, KINDS[kind], average_half_life_images=3.0)
    recipe = replace(recipe, length=replace(recipe.length, images=16))
    torch.manual_seed(7)
    straight = state_of(played(tiny_engine(recipe), 7))

    torch.manual_seed(7)
    stopped = played(tiny_engine(recipe), 3)
    snapshot = snapshot_of(stopped, {})
    assert snapshot is not None
    carried = carry(snapshot, tmp_path)
    resumed = tiny_engine(recipe, seed=99)
    torch.manual_seed(12345)
    restore_engine(resumed, carried)
    assert state_of(played(resumed, 4)) == straight


@pytest.mark.parametrize("name", DROPPING)
def test_dropout_and_pools_are_in_use_where_resume_is_tested(name: str):
    recipe = tiny_recipe(name, noisy)
    engine = played(tiny_engine(recipe), 3)
    drops = [layer.p for layer in engine.method.modules() if isinstance(layer, nn.Dropout)]
    filled = {key: int(value) for key, value in engine.method.state().items() if key.endswith("filled")}
    assert max(drops, default=0.0) == 0.5
    assert all(count == 3 for count in filled.values()), "pools are full, so that they draw"


# What users get


@every_translator
@pytest.mark.parametrize("ports", PORTS)
def test_cards_of_deploys_survive_json_and_say_what_goes_in_and_out(name: str, ports: str):
    a, b = PORTS[ports]
    recipe = tiny_recipe(name, for_any_ports, a=a, b=b)
    method = tiny_method(recipe)
    for deploy in method.deploys().values():
        card = card_of(deploy)
        assert Card.from_json(card.to_json()) == card
        assert len({port.size for port in (*card.inputs, *card.outputs)}) == 1
    first = next(iter(method.deploys().values()))
    assert [port.name for port in first.inputs] == [port.name for port in recipe.spec().domains["a"]]
    assert [port.channels for port in first.outputs] == [port.channels for port in recipe.spec().domains["b"]]


@every_translator
@pytest.mark.parametrize("ports", PORTS)
def test_deploys_give_exactly_the_size_that_came_in(name: str, ports: str):
    a, b = PORTS[ports]
    method = tiny_method(tiny_recipe(name, for_any_ports, a=a, b=b))
    for deploy in method.deploys().values():
        card = card_of(deploy)
        pipeline = TASKS[card.task](TorchRuntime(deploy, card, CPU))
        rule = card.inputs[0].size
        for height, width in ((rule.at_least_px, rule.at_least_px), (rule.at_least_px + 3, 41)):
            pixels = {port.name: pixels_for(port, height, width) for port in card.inputs}
            outputs = pipeline.outputs(pixels)
            shapes = {name: array.shape[:2] for name, array in outputs.items()}
            assert shapes == {port.name: (height, width) for port in card.outputs}
            if len(pixels) == 1:
                image = pipeline(Image.fromarray(next(iter(pixels.values())).squeeze()))
                assert image.size == (width, height)


def pixels_for(port: Any, height: int, width: int) -> np.ndarray:
    levels = getattr(port, "classes", 256)
    channels = 1 if hasattr(port, "classes") else port.channels
    return np.random.default_rng(3).integers(0, levels, (height, width, channels)).astype(np.uint8)


@every_recipe
@every_kind
def test_deploys_are_deterministic_and_blind_to_the_rest_of_the_batch(name: str, kind: str):
    recipe = tiny_recipe(name, KINDS[kind], batch_size=3)
    engine = played(tiny_engine(recipe), 2)
    for deploy in engine.method.deploys().values():
        runtime = TorchRuntime(deploy, card_of(deploy), CPU)
        given = inputs_of(deploy, recipe)
        together, again = runtime.run(given), runtime.run(given)
        alone = [runtime.run({key: value[index : index + 1] for key, value in given.items()}) for index in range(3)]
        for key, value in together.items():
            assert value.dtype == np.float32
            assert np.array_equal(value, again[key])
            assert np.std(value) > 0
            np.testing.assert_allclose(np.concatenate([one[key] for one in alone]), value, rtol=0, atol=1e-5)


def inputs_of(deploy: Deploy, recipe: Recipe[Any]) -> dict[str, np.ndarray]:
    """Real pictures for what takes pictures of any size; else noise, classes in turn, real samples of x."""
    spec, batch = recipe.spec(), batch_of(recipe, 5)
    if not card_of(deploy).takes_pictures:
        rows = stacked(drawn(deploy.inputs, spec.batch_size, seed=0))
        return {name: batch["x"].numpy() if name == "x" else row for name, row in rows.items()}
    domain = "a" if deploy.inputs[0].name in {port.name for port in spec.domains["a"]} else "b"
    return arrays_of(deploy.inputs, batch[domain])


def arrays_of(ports: tuple[Any, ...], tensor: Tensor) -> dict[str, np.ndarray]:
    parts = tensor.split([port.channels for port in ports], dim=1)
    return {port.name: part.numpy() for port, part in zip(ports, parts, strict=True)}


@every_recipe
def test_deploys_run_with_the_weights_that_were_trained(name: str):
    """Not those of a copy made when the method was built."""
    engine = tiny_engine(with_rate(tiny_recipe(name), 0.01))
    for key, deploy in engine.method.deploys().items():
        runtime = TorchRuntime(deploy, card_of(deploy), CPU)
        given = inputs_of(deploy, engine.recipe)
        before = runtime.run(given)
        engine.method.train()
        for _ in range(8):  # a generator with batch norm begins with running statistics that leave no signal
            engine.play(drawing(engine.recipe))
        fresh = TorchRuntime(engine.method.deploys()[key], card_of(deploy), CPU)
        after = fresh.run(given)
        assert all(np.abs(after[port] - before[port]).max() > 1e-3 for port in after)
        assert set(deploy.networks) <= set(engine.networks.values())


@every_recipe
def test_scores_name_discriminators_and_tell_real_from_made(name: str):
    """After the discriminator's own turns its scores of what it saw as real are above those of what was made."""
    recipe = with_rate(tiny_recipe(name), 2e-3)
    engine = tiny_engine(recipe)
    scored = engine.method.scores(engine_batch(engine))
    judges = {engine.networks[key] for key in scored}
    engine.turns = tuple(as_played_now(turn) for turn in engine.turns if not judges.isdisjoint(turn.trains))
    for _ in range(40):
        engine.play(drawing(recipe))
    with torch.no_grad():
        scored = engine.method.scores(engine_batch(engine))
    assert scored.keys() <= engine.networks.keys()
    if name in TRANSLATING:
        assert scored.keys() == engine.networks.keys() - deployed_networks(engine.method).keys()
    for name_, pair in scored.items():
        real = torch.cat([scale.flatten() for scale in pair.real]).mean()
        fake = torch.cat([scale.flatten() for scale in pair.fake]).mean()
        assert float(real) > float(fake) + 0.1, name_


def engine_batch(engine: Engine) -> Any:
    from translate.method import Batch

    return Batch(batch_of(engine.recipe))


# Recipes


@every_recipe
def test_recipes_survive_json_exactly(name: str):
    other = {"a": ("rgb", "labels:3"), "b": ("grey",)} if name in TRANSLATING else {}
    for recipe in (tiny_recipe(name), tiny_recipe(name, seed=5, **other)):
        again = from_json(to_json(recipe), config_class)
        assert again == recipe
        assert type(again.config) is method_class(recipe.method).Config
        assert to_json(again) == to_json(recipe)


@every_recipe
def test_an_unknown_field_is_refused_with_its_name(name: str):
    text = to_json(tiny_recipe(name))
    for wrong in (
        text.replace('"seed"', '"sead"'),
        text.replace('"config": {', '"config": {"lamda": 3,', 1),
        text.replace('"learning_rate"', '"lurning_rate"', 1),
    ):
        assert wrong != text
        with pytest.raises(ConfigurationError, match=r"sead|lamda|lurning_rate"):
            from_json(wrong, config_class)


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
