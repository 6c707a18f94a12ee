"""`--cuda-graphs`: how networks are compiled, when graphs may overwrite what they gave, and equal results on a CPU."""

import json
from dataclasses import replace

import pytest
import torch
from tiny import drawing, game_engine, game_recipe, numbered, tiny_engine, tiny_recipe
from torch import nn

from pipelines.benching.training.settings import TrainingSetting
from pipelines.methods import method_class
from pipelines.training.fitting import peak_bytes
from translate.errors import ConfigurationError
from translate.recipe import from_json, to_json


@pytest.mark.parametrize(
    ("changes", "modes"),
    [({}, []), ({"compile": True}, [None] * 2), ({"compile": True, "cuda_graphs": True}, ["reduce-overhead"] * 2)],
)
def test_graphs_are_a_mode_of_the_compiler(changes, modes, monkeypatch):
    asked = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, *, mode: asked.append(mode))
    game_engine(**changes)
    assert asked == modes


@pytest.mark.parametrize("graphs", [True, False])
def test_every_iteration_says_once_that_the_last_ones_tensors_may_go(graphs, monkeypatch):
    told = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, *, mode: None)
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: told.append("begin"))
    engine, draw = game_engine(compile=True, cuda_graphs=graphs), numbered()
    for network in engine.networks.values():
        network.register_forward_pre_hook(lambda *_: told.append("network"))
    for _ in range(2):
        told.append("|")
        engine.play(draw)
    iterations = "".join({"begin": "b", "network": "n", "|": "|"}[word] for word in told).split("|")[1:]
    for words in iterations:
        assert words.count("b") == graphs
        assert "n" in words
        assert words.startswith("b") == graphs


def test_without_compiling_there_is_nothing_to_replay():
    with pytest.raises(ConfigurationError, match="--cuda-graphs"):
        game_recipe(cuda_graphs=True)


def test_a_recipe_that_was_written_before_is_read():
    recipe = tiny_recipe("compact")
    document = json.loads(to_json(recipe))
    del document["cuda_graphs"]
    assert from_json(json.dumps(document), lambda name: method_class(name).Config) == recipe


def test_memory_is_counted_and_settings_are_tried_without_it():
    recipe = replace(tiny_recipe("compact"), compile=True, cuda_graphs=True)
    assert peak_bytes(recipe) == peak_bytes(replace(recipe, compile=False, cuda_graphs=False))
    eager = replace(TrainingSetting.of(recipe), compile=False).applied(recipe)
    assert (eager.compile, eager.cuda_graphs) == (False, False)
    assert TrainingSetting.of(recipe).applied(recipe).cuda_graphs


@pytest.mark.slow
def test_on_a_cpu_it_compiles_as_without():
    recipe = replace(tiny_recipe("compact"), compile=True)
    engines = tiny_engine(recipe), tiny_engine(replace(recipe, cuda_graphs=True))
    for engine in engines:
        draw = drawing(recipe)
        for _ in range(2):
            engine.play(draw)
    compiled, graphs = (engine.method.state_dict() for engine in engines)
    assert all(torch.equal(value, graphs[name]) for name, value in compiled.items())
