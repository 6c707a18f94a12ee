"""Training on a CUDA card, played without one: nothing mixes devices, and no step makes the host wait for the card.

The engine, the stream of batches, the validators and the runtime are the true ones; `fake_cuda` plays the card. What it
cannot show: the numbers, kernels that a card lacks, and what cuDNN or the driver refuse.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake_cuda import CUDA, played_card, run_backward
from tiny import CLASSES, RECIPES, Game, _arrays, drawing, game_recipe, projected, small, tiny_engine, tiny_method
from tiny import tiny_recipe as shrunk

from pipelines.scoring.heldout import HeldOut, with_made
from pipelines.training.generation import validation as generation
from pipelines.training.generation.held_out import HeldOut as HeldOutSamples
from pipelines.training.resolve import resolve
from pipelines.training.session import Session
from pipelines.training.translation import validation as translation
from translate.card import picture_ports
from translate.checkpoint import restore_engine, snapshot_of
from translate.data.augmentation import ColourJitter
from translate.data.device_augmentation import DeviceAugmentation
from translate.data.domains import MadePairs, OneDomain
from translate.engine import _READ_BACK, Engine
from translate.losses.gradient_penalty import GradientPenalty
from translate.networks.seen import SeenConfig
from translate.optimisers import SGD, RMSprop
from translate.placing import numbers, placed
from translate.recipe import Length
from translate.runtime.torch import TorchRuntime

KNOWN = {
    "labelled_memory.py:gather": "SGAN: which samples of a batch have labels decides how many are kept",
    "labelled_memory.py:draw": "SGAN: how many labelled samples there are to draw from",
    "lab.py:forward": "colours: kornia makes the white point and its matrices of D65 on the host, each time",
}
"""Where a step does make the host wait, and why."""
COUNTED = "bad_steps.py:<genexpr>"
"""What the engine reads once in 16 iterations."""

JITTER = ColourJitter(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.05)
AUGMENTED = DeviceAugmentation(
    flip=True, vertical_flip=True, rotate_degrees=10.0, scale=0.1, colour_a=JITTER, colour_b=JITTER
)


LARGE = (
    *("cyclegan-modern", "cyclegan-small", "pix2pix-modern", "pix2pix-small"),
    *("r3gan", "lama-small", "restore", "colourise"),
)
"""They take a second or two each, and others are like them."""


def some_slow(names, *, but):
    """Parameters of a test, of which all are slow but some."""
    return [name if name in but else pytest.param(name, marks=pytest.mark.slow) for name in names]


def stored_arrays(recipe, count):
    """So many samples by port, as they are stored."""
    spec = recipe.spec()
    stored = recipe.domains.stored().items()
    parts = [_arrays(name, ports, [[0, 0]] * count, spec) for name, ports in stored]
    return {name: array for part in parts for name, array in part.items()}


class Batches:
    """Samples in the host's memory, as the loader gives them."""

    def __init__(self, recipe):
        self.position = 0
        self._arrays = stored_arrays(recipe, recipe.batch_size)

    def __next__(self) -> Mapping[str, torch.Tensor]:
        self.position += 1
        return self._arrays


def on_a_gpu(name, shrink=small, **changes):
    """The recipe as a GPU resolves it, so short that its second iteration is its last: turns that start late play."""
    plain = {"precision": "auto", "layout": "auto", "average_half_life_images": 8.0, "device_augmentation": AUGMENTED}
    recipe = shrunk(name, shrink, **(plain | changes))
    return replace(recipe, length=Length(images=recipe.batch_size * recipe.accumulate))


def session_on_card(recipe, monkeypatch):
    """To be opened within `played_card`."""
    recipe = resolve(recipe, pictures=100, device=CUDA)
    monkeypatch.setattr("pipelines.training.session.loader", lambda *_given, **_more: Batches(recipe))
    engine = Engine(tiny_method(recipe), recipe, CUDA)
    return Session(recipe=recipe, data=SimpleNamespace(train=None), engine=engine, workers=0)


def waits_of(recipe, monkeypatch, iterations=(0, 1)):
    """The places where the host waits in each of these iterations; every figure is on the card."""
    places = []
    with played_card() as waits:
        session = session_on_card(recipe, monkeypatch)
        stream, engine = session.stream(), session.engine
        for engine.iteration in iterations:
            waits.places.clear()
            figures = engine.play(stream)
            places.append(set(waits.places))
            assert figures
            assert {figure.device for figure in figures.values()} == {CUDA}
    return places


def assert_free_running(recipe, monkeypatch):
    first, second = waits_of(recipe, monkeypatch)
    assert first - KNOWN.keys() == {COUNTED}
    assert second - KNOWN.keys() == set()


@pytest.mark.parametrize("name", some_slow(RECIPES, but=[name for name in RECIPES if name not in LARGE]))
def test_no_iteration_mixes_devices_or_waits(name, monkeypatch):
    assert_free_running(on_a_gpu(name), monkeypatch)


def test_a_gpu_gets_bf16_channels_last_and_fused_steps(monkeypatch):
    with played_card():
        engine = session_on_card(on_a_gpu("pix2pix"), monkeypatch).engine
        assert (engine.recipe.precision, engine.recipe.layout) == ("bf16", "channels-last")
        assert all(group["fused"] for steps in engine.optimisers.values() for group in steps.param_groups)
        weights = [*engine.method.parameters(), *engine.averaged.method.parameters()]
        assert {weight.device for weight in weights} == {CUDA}
        assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in weights if weight.dim() == 4)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("name", some_slow(RECIPES, but=["pix2pix", "gan"]))
def test_other_precisions_do_not_either(name, precision, monkeypatch):
    assert_free_running(on_a_gpu(name, precision=precision), monkeypatch)


def with_game(recipe, **changes):
    return replace(recipe, config=replace(recipe.config, game=replace(recipe.config.game, **changes)))


def with_config(recipe, **changes):
    return replace(recipe, config=replace(recipe.config, **changes))


OPTIONS = {
    "recomputed, summed over batches, clipped": lambda: on_a_gpu(
        "pix2pix", recompute=True, accumulate=2, clip_norm=1.0
    ),
    "through a frozen network": lambda: on_a_gpu("pix2pix", projected),
    "channel by channel, without averages": lambda: on_a_gpu("cyclegan", layout="plain", average_half_life_images=0.0),
    "a perceptual loss": lambda: with_config(on_a_gpu("pix2pix"), perceptual_weight=1.0, feature_weight=1.0),
    "labels to pictures": lambda: on_a_gpu("pix2pix", a=("labels:5",)),
    "an adaptive probability": lambda: with_game(
        on_a_gpu("dcgan"), seen=SeenConfig(augment=("colour", "translation", "cutout"), adaptive=True)
    ),
    "an opponent that looks ahead": lambda: with_game(on_a_gpu("gan-points"), unrolled_steps=2),
    "matched features": lambda: with_game(on_a_gpu("dcgan"), feature_matching_weight=1.0),
}


@pytest.mark.parametrize("option", some_slow(OPTIONS, but=list(OPTIONS)[2:]))
def test_options_do_not_either(option, monkeypatch):
    assert_free_running(OPTIONS[option](), monkeypatch)


@pytest.mark.parametrize("kind", ["r1", "r1+r2", "wgan-gp", "r1 approximate"])
def test_penalties_do_not_either(kind, monkeypatch):
    name, _, approximate = kind.partition(" ")
    penalty = GradientPenalty(kind=name, approximate=bool(approximate))
    discriminator = replace(on_a_gpu("pix2pix").config.discriminator, norm="instance")
    assert_free_running(with_config(on_a_gpu("pix2pix"), penalty=penalty, discriminator=discriminator), monkeypatch)


def test_bad_steps_are_read_once_in_16_iterations(monkeypatch):
    recipe = on_a_gpu("pix2pix")
    places = waits_of(recipe, monkeypatch, iterations=(0, 1, _READ_BACK - 1, _READ_BACK, _READ_BACK + 1))
    assert places == [{COUNTED}, set(), set(), {COUNTED}, set()]


def test_the_known_places_are_there(monkeypatch):
    found = {place for name in ("sgan", "colourise") for place in waits_of(on_a_gpu(name), monkeypatch)[1]}
    assert found == KNOWN.keys()


# Broken controls


def game_with(poison, **changes):
    """Two iterations of a game one of whose losses is poisoned, on a card: the places of the second."""
    with played_card() as waits:
        game = Game()
        game.poison["left"] = poison
        engine = Engine(game, game_recipe(precision="bf16", **changes), CUDA)
        batch = {name: torch.rand(2, 3, 8, 8, device=CUDA) for name in ("a", "b")}
        engine.play(lambda: batch)
        waits.places.clear()
        engine.play(lambda: batch)
        return set(waits.places)


def test_control_a_sound_game_waits_for_nothing():
    assert game_with(lambda loss: loss * 2.0) == set()


def test_control_a_constant_left_on_the_host_is_found():
    constant = torch.ones(3)
    with pytest.raises(RuntimeError, match="cuda:0 and cpu"):
        game_with(lambda loss: (loss * constant).sum())


@pytest.mark.parametrize(
    "poison",
    [
        lambda loss: loss * float(loss.detach()),
        lambda loss: loss if loss > 0 else 2.0 * loss,
        lambda loss: loss * loss.detach().cpu().to(loss.device, non_blocking=True),
        lambda loss: loss * loss.detach().to("cpu", non_blocking=True),
        lambda loss: loss * torch.tensor([2.0], device=loss.device)[0],
        lambda loss: loss * torch.ones(1).to(loss.device)[0],
        lambda loss: loss.view(1)[loss.view(1) > 0].sum(),
        lambda loss: loss.view(1)[torch.zeros(1, dtype=torch.int64)].sum(),
        lambda loss: loss * torch.linalg.inv(torch.eye(2, device=loss.device))[0, 0],
    ],
    ids=["float", "branch", "cpu", "cpu unawaited", "tensor", "to", "mask", "indices of the host", "inverse"],
)
def test_control_a_loss_that_makes_the_host_wait_is_found(poison):
    assert game_with(poison) == {"test_fake_cuda.py:<lambda>"}


def test_control_a_step_that_is_not_fused_is_found():
    optimisers = {name: RMSprop() for name in ("left", "right")}
    assert game_with(lambda loss: loss, optimisers=optimisers) == {"stepping.py:step_unless"}


@pytest.mark.parametrize("name", ["r3gan", "pix2pix"])
def test_the_way_back_is_torchs(name):
    """The card's own, played on a CPU: the gradients are those of torch's engine, also twice backwards (r3gan)."""
    made = []
    for ours in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if ours:
                patch.setattr("torch.autograd._engine_run_backward", run_backward)
            # Steps of SGD are in proportion to gradients; Adam's first is the sign of each, also of a rounding
            slow = {"generator": SGD(learning_rate=1e-3), "discriminator": SGD(learning_rate=1e-3)}
            recipe = shrunk(name, small, optimisers=slow)
            engine = tiny_engine(recipe)
            engine.play(drawing(recipe))
            made.append([parameter.grad for parameter in engine.method.parameters() if parameter.grad is not None])
    for theirs, own in zip(*made, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-3, atol=1e-6)


# From the host to the card


def test_what_is_placed_is_what_was_given():
    given = torch.arange(6.0).view(2, 3)
    assert placed(given, torch.device("cpu")) is given
    assert torch.equal(numbers([1, 2], torch.device("cpu")), torch.tensor([1, 2]))
    with played_card() as waits:
        assert placed(given, CUDA).device == CUDA
        assert numbers([[0.5, 1.0]], CUDA, torch.float64).dtype == torch.float64
        on_card = torch.ones(1, device=CUDA)
        assert placed(on_card, CUDA) is on_card
        assert waits.places == []
        assert placed(on_card, torch.device("cpu")).device.type == "cpu"
        assert len(waits.places) == 1


# Beside the engine


def read_as_noise(tensor, **_options):
    """What a host would read of a card that holds nothing."""
    noise = np.random.default_rng(0).standard_normal(tuple(tensor.shape))
    return noise.astype(str(tensor.dtype).removeprefix("torch."))


def held_out(recipe, count=6):
    stored, arrays = recipe.domains.stored(), stored_arrays(recipe, count)
    keys = tuple(map(str, range(count)))
    if isinstance(recipe.domains, OneDomain):
        port, learns = stored["x"][0], recipe.domains.labelled
        labels = torch.arange(count) % len(CLASSES) if learns else None
        return HeldOutSamples(port=port, stored=arrays[port.name], labels=labels, keys=keys, learns_classes=learns)
    ports = {name: picture_ports(domain) for name, domain in stored.items()}
    held = HeldOut(keys=dict.fromkeys(ports, keys), ports=ports, arrays=arrays, paired=recipe.domains.paired)
    return with_made(held, recipe.domains.making) if isinstance(recipe.domains, MadePairs) else held


@pytest.mark.parametrize("name", some_slow(RECIPES, but=["pix2pix", "infogan", "gan-points", "sgan", "vae"]))
def test_validation_stays_on_the_card_until_it_reads(name, monkeypatch):
    recipe = on_a_gpu(name)
    held = held_out(recipe)
    kit = generation if isinstance(recipe.domains, OneDomain) else translation
    with played_card():
        monkeypatch.setattr(torch.Tensor, "numpy", read_as_noise)
        validator = kit.Validator(session_on_card(recipe, monkeypatch), held)
        assert all(score.pictures for score in validator.measure().values())
        assert validator.sheet().ndim == 3
        scored = {scores.discriminator for scores in validator.discriminator_scores()}
        method = tiny_method(recipe)
    assert scored <= method.networks().keys()


@pytest.mark.parametrize("name", ["cyclegan", "lama", "compact", "infogan"])
def test_every_deployed_module_runs_on_the_card(name, monkeypatch):
    recipe = on_a_gpu(name)
    for deploy_name, deploy in tiny_method(recipe).deploys().items():
        with played_card():
            monkeypatch.setattr(torch.Tensor, "numpy", read_as_noise)
            card = SimpleNamespace(inputs=deploy.inputs, outputs=deploy.outputs)
            made = TorchRuntime(deploy, card, CUDA).run({port.name: rows_of(port) for port in deploy.inputs})
            assert made.keys() == {port.name for port in deploy.outputs}, deploy_name
        monkeypatch.undo()


def rows_of(port):
    """Two rows for a port: pictures of 32 px, numbers or classes."""
    if hasattr(port, "channels"):
        return np.zeros((2, port.channels, 32, 32), np.float32)
    return np.zeros((2, port.size), np.float32) if hasattr(port, "size") else np.zeros(2, np.int64)


@pytest.mark.parametrize("name", ["cyclegan", "gan", "sgan"])
def test_a_run_from_a_cpu_goes_on_on_the_card(name, monkeypatch):
    """Weights, moments, pools and averages; what is read of a file lies on the host."""
    recipe = resolve(on_a_gpu(name), pictures=100, device=torch.device("cpu"))
    before = tiny_engine(replace(recipe, precision="bf16"))
    draw = Session(recipe=recipe, data=SimpleNamespace(train=None), engine=before, workers=0)
    monkeypatch.setattr("pipelines.training.session.loader", lambda *_given, **_more: Batches(recipe))
    before.play(draw.stream())
    snapshot = snapshot_of(before, {})
    with played_card() as waits:
        session = session_on_card(on_a_gpu(name), monkeypatch)
        restore_engine(session.engine, snapshot)
        moments = [
            entry for steps in session.engine.optimisers.values() for state in steps.state.values() for entry in state
        ]
        assert moments
        waits.places.clear()
        session.engine.play(session.stream())
        assert session.engine.iteration == 2
        assert set(waits.places) <= KNOWN.keys()
