"""Recomputation changes memory and time, and nothing else: every recipe played with and without it, to the last bit."""

import copy
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from tiny import CPU, RECIPES, batch_of, drawing, noisy, small, tiny_engine, tiny_method, tiny_recipe
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from pipelines.training.storages import LiveStorages
from translate.engine import Engine
from translate.networks import recomputing
from translate.networks.norm import spectrally_normalise
from translate.networks.recomputing import AsFound, Stage, recompute
from translate.networks.resnet import ResNet
from translate.networks.rrdb import RRDB
from translate.networks.unet import UNet


@pytest.fixture
def second_passes(monkeypatch: pytest.MonkeyPatch) -> list[AsFound]:
    """Grows by one with every second pass through a stage."""
    passes: list[AsFound] = []
    enter = AsFound.__enter__

    def counting(self: AsFound) -> None:
        passes.append(self)
        enter(self)

    monkeypatch.setattr(AsFound, "__enter__", counting)
    return passes


@pytest.fixture
def naive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Second passes as torch's own checkpoint has them: they move buffers again."""
    monkeypatch.setattr(Stage, "_contexts", lambda self: (nullcontext(), nullcontext()))


def after(engine: Engine, iterations: int = 1) -> dict[str, Tensor]:
    """The weights, buffers and figures after a few iterations."""
    torch.manual_seed(1)
    draw = drawing(engine.recipe)
    figures = [engine.play(draw) for _ in range(iterations)][-1]
    return {**engine.method.state_dict(), **figures}


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name, value in one.items() if not torch.equal(value, other[name])]


def differing_by_recomputation(recipe: Any) -> list[str]:
    return differing(after(tiny_engine(recipe)), after(tiny_engine(replace(recipe, recompute=True))))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_moves_as_without(name: str, second_passes: list[AsFound]):
    assert differing_by_recomputation(tiny_recipe(name, noisy)) == []
    assert second_passes


@pytest.mark.parametrize("name", ["pix2pix", "esrgan", "r3gan", "lama"])
def test_as_published_in_bfloat16_and_over_two_iterations(name: str, second_passes: list[AsFound]):
    recipe = tiny_recipe(name, small, precision="bf16", accumulate=2)
    plain = after(tiny_engine(recipe), 2)
    assert differing(plain, after(tiny_engine(replace(recipe, recompute=True)), 2)) == []
    assert second_passes
    assert differing(plain, after(tiny_engine(replace(recipe, precision="fp32")), 2)) != []


def test_of_buffers_only_those_that_move_are_copied():
    """A frozen network's weights are buffers, and many."""
    layers = nn.Sequential(nn.BatchNorm2d(3), nn.BatchNorm2d(3).eval())
    recompute(layers)
    with LiveStorages() as live:
        AsFound(layers)
        found = AsFound(layers)
    assert live.peak_bytes == 2 * 3 * 512, "three numbers or triples, each in the smallest block of memory, twice"
    del found


# Broken controls: what torch's checkpoint does by itself, or what would be left out, is seen


@pytest.mark.usefixtures("naive")
@pytest.mark.parametrize("name", ["pix2pix", "dcgan"])
def test_running_statistics_that_move_twice_are_seen(name: str):
    wrong = differing_by_recomputation(tiny_recipe(name, noisy))
    assert any("running_mean" in each for each in wrong)
    assert any("num_batches_tracked" in each for each in wrong)


@pytest.mark.parametrize("is_naive", [False, True])
def test_spectral_norm_iterates_once(is_naive: bool, request: pytest.FixtureRequest):
    if is_naive:
        request.getfixturevalue("naive")
    torch.manual_seed(0)
    plain = nn.Sequential(*(nn.Conv2d(4, 4, 3) for _ in range(5)))
    spectrally_normalise(plain)
    twin = copy.deepcopy(plain)
    recompute(twin)
    pictures = torch.randn(2, 4, 16, 16)
    for network in (plain, twin):
        network(pictures).square().sum().backward()
    buffers = zip(plain.buffers(), twin.buffers(), strict=True)
    assert all(torch.equal(one, other) for one, other in buffers) is not is_naive
    gradients = [(one.grad, other.grad) for one, other in zip(plain.parameters(), twin.parameters(), strict=True)]
    assert all(torch.equal(one, other) for one, other in gradients if one is not None) is not is_naive


def test_dropout_drawn_anew_is_seen(monkeypatch: pytest.MonkeyPatch):
    recipe = tiny_recipe("cyclegan", noisy)
    assert differing_by_recomputation(recipe) == []
    forgetful = partial(recomputing.checkpoint, preserve_rng_state=False)
    monkeypatch.setattr(recomputing, "checkpoint", forgetful)
    assert differing_by_recomputation(recipe) != []


@pytest.mark.parametrize("is_naive", [False, True])
def test_weights_that_move_later_no_more_are_as_they_were(is_naive: bool, request: pytest.FixtureRequest):
    """What is made by two networks in an opponent's turn goes backwards when only one of them moves."""
    if is_naive:
        request.getfixturevalue("naive")
    first, second = (nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3)) for _ in "ab")
    for network in (first, second):
        recompute(network)
    made = second(first(torch.randn(2, 3)))
    second.requires_grad_(False)
    if is_naive:
        with pytest.raises(torch.utils.checkpoint.CheckpointError):
            made.sum().backward()
        return
    made.square().sum().backward()
    assert all(parameter.grad is not None for parameter in first.parameters())
    assert not any(parameter.requires_grad for parameter in second.parameters())


# Penalties, copies, passes without gradients


def test_penalties_of_gradients_are_those_without():
    torch.manual_seed(0)
    layers = (parametrizations.weight_norm(nn.Conv2d(3, 3, 3, padding=1)) for _ in range(6))
    plain = nn.Sequential(*(part for layer in layers for part in (layer, nn.Softplus())))
    twin = copy.deepcopy(plain)
    recompute(twin)
    pictures = torch.randn(2, 3, 8, 8, requires_grad=True)
    for network in (plain, twin):
        (slope,) = torch.autograd.grad(network(pictures).sum(), pictures, create_graph=True)
        slope.square().sum().backward()
    for one, other in zip(plain.parameters(), twin.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.equal(one.grad, other.grad)
        assert one.grad.abs().max() > 0 or one.grad.numel() == 0


def test_a_deep_copy_runs_its_own_weights():
    network = UNet(width=4, depth=5)
    names = list(network.state_dict())
    recompute(network)
    assert list(network.state_dict()) == names
    twin = copy.deepcopy(network)
    pictures = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
        before = network(pictures)
    made = twin(pictures)
    assert torch.count_nonzero(made) == 0
    made.sum().backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.count_nonzero(before) > 0


def test_without_gradients_nothing_is_noted(monkeypatch: pytest.MonkeyPatch):
    network = ResNet(width=4, blocks=2)
    recompute(network)
    monkeypatch.setattr(recomputing, "checkpoint", None)
    with torch.no_grad():
        network(torch.randn(1, 3, 16, 16))
    network.requires_grad_(False)
    network(torch.randn(1, 3, 16, 16))
    with pytest.raises(TypeError):
        network(torch.randn(1, 3, 16, 16, requires_grad=True))


# What it is for


def kept_and_peak_bytes(network: nn.Module, pictures: Tensor) -> tuple[int, int]:
    """What waits for the backward pass beside weights and pictures, and the most that both passes need at once."""
    for _ in range(2):  # the second time, gradients are there
        with LiveStorages() as live:
            live.count([pictures, *network.parameters(), *network.buffers()])
            before = live.now_bytes
            made = network(pictures)
            kept = live.now_bytes - before
            made.square().mean().backward()
            del made
    return kept, live.peak_bytes


@pytest.mark.parametrize(
    ("network", "kept_at_most"),
    [
        (ResNet(width=4, blocks=9), 0.35),
        (UNet(width=8, depth=5), 0.65),
        (RRDB(width=4, growth=2, blocks=4, scale=1), 0.25),
        (nn.Sequential(*(part for _ in range(32) for part in (nn.Conv2d(3, 3, 3, padding=1), nn.PReLU()))), 0.25),
    ],
    ids=["resnet", "unet", "rrdb", "a row of layers"],
)
def test_it_keeps_less(network: nn.Module, kept_at_most: float):
    pictures = torch.randn(1, 3, 64, 64)
    kept, peak = kept_and_peak_bytes(copy.deepcopy(network), pictures)
    recompute(network)
    kept_then, peak_then = kept_and_peak_bytes(network, pictures)
    assert kept_then < kept_at_most * kept
    assert peak_then < peak - 0.5 * (kept - kept_then), "and what comes back on the way is little"


@pytest.mark.slow
def test_compiled_networks_move_as_without():
    """Compiled code adds up in another order, so the weights of one step are held to a share of it."""
    recipe = tiny_recipe("pix2pix", small)
    method = tiny_method(recipe)
    recompute(method.get_submodule("generator"))
    batch = batch_of(recipe)
    plain, compiled = (Engine(copy.deepcopy(method), replace(recipe, compile=flag), CPU) for flag in (False, True))
    for engine in (plain, compiled):
        engine.play(lambda: batch)
    for name, value in plain.method.state_dict().items():
        torch.testing.assert_close(compiled.method.state_dict()[name], value, rtol=1e-3, atol=1e-5, msg=name)
