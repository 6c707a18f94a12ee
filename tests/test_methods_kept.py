"""Of every method: a resume equals a straight run to the last bit, and its recipe survives JSON."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from every_method import KINDS, bits, digest, every_kind, every_recipe, played
from tiny import DROPPING, TRANSLATING, noisy, tiny_engine, tiny_recipe
from torch import nn

from pipelines.methods import method_class
from pipelines.trained import config_class
from translate.averaging import deployed_networks
from translate.checkpoint import restore_engine, snapshot_of
from translate.engine import Engine
from translate.errors import ConfigurationError
from translate.recipe import from_json, to_json
from translate.storage.snapshot import Snapshot, read_snapshot, write_snapshot


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
