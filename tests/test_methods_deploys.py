"""Of every method: what users get, its cards, sizes and scores."""

from typing import Any

import numpy as np
import pytest
import torch
from every_method import KINDS, as_played_now, engine_batch, every_kind, every_recipe, every_translator, played
from PIL import Image
from tiny import (
    CPU,
    TRANSLATING,
    batch_of,
    card_of,
    drawing,
    for_any_ports,
    tiny_engine,
    tiny_method,
    tiny_recipe,
    with_rate,
)
from torch import Tensor

from pipelines.tasks import TASKS
from translate.averaging import deployed_networks
from translate.card import Card
from translate.method import Deploy
from translate.recipe import Recipe
from translate.runtime.rows import drawn, stacked
from translate.runtime.torch import TorchRuntime

PORTS = {"rgb": (("rgb",), ("rgb",)), "ports": (("rgb", "labels:3"), ("grey",)), "labels": (("rgba",), ("labels:4",))}


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
def test_every_part_of_a_deploy_is_in_evaluation_mode_when_the_method_is(name: str):
    """Wrappers are made anew by `deploys()`, nested ones too; one left in training mode cannot be exported."""
    method = tiny_method(tiny_recipe(name)).eval()
    for deploy in method.deploys().values():
        assert not any(part.training for part in deploy.module.modules())
    assert not any(part.training for part in method.modules())
    method.train()
    method.deploys()
    assert all(part.training for network in method.networks().values() for part in network.modules())


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
