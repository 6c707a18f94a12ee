"""Tricks that make steps faster and change no weights: order in memory, fused steps, flags that nobody waits for."""

from dataclasses import replace

import pytest
import torch
from tiny import batch_of, drawing, separate, tiny_engine, tiny_recipe
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from pipelines.methods import method_names
from translate.checkpoint import restore_engine, snapshot_of
from translate.networks.autocasting import ReflectionPad2d
from translate.optimisers import SGD, Adam, RMSprop
from translate.stepping import step_unless


def weights(engine):
    return {name: tensor.detach().clone() for name, tensor in engine.method.state().items()}


def played(recipe, steps=2):
    engine = tiny_engine(recipe)
    draw = drawing(recipe)
    for _ in range(steps):
        engine.play(draw)
    return engine


def assert_near(ours, theirs, atol):
    for name, value in theirs.items():
        torch.testing.assert_close(
            ours[name], value, rtol=1e-3, atol=atol, msg=lambda text, name=name: f"{name} {text}"
        )


def sgd(recipe):
    """Steps of SGD are in proportion to gradients; Adam's first is the learning rate times the sign of each."""
    return replace(recipe, optimisers={name: SGD(learning_rate=1e-3) for name in recipe.optimisers})


@pytest.mark.parametrize("name", method_names())
def test_either_order_in_memory_gives_the_same_weights(name):
    recipe = sgd(tiny_recipe(name, separate, precision="fp32", layout="plain"))
    plain, last = played(recipe), played(replace(recipe, layout="channels-last"))
    assert_near(weights(last), weights(plain), atol=1e-5)


@pytest.mark.parametrize("name", method_names())
def test_pictures_and_weights_lie_by_pixels(name):
    engine = tiny_engine(tiny_recipe(name, layout="channels-last"))
    tensors = [*engine.method.parameters(), *engine._laid_out(batch_of(engine.recipe)).values()]
    for tensor in (tensor for tensor in tensors if tensor.dim() == 4):
        assert tensor.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", [Adam, SGD])
@pytest.mark.parametrize("last", [False, True])
def test_fused_steps_are_those_of_the_formula(kind, last):
    """Each walks a parameter, its gradient and its moments in the order of memory."""
    order = torch.channels_last if last else torch.contiguous_format
    start = torch.randn(5, 4, 3, 3)
    made = []
    for fused in (True, False):
        parameter = torch.nn.Parameter(start.clone().contiguous(memory_format=order))
        steps = kind(fused=fused).build([parameter])
        for seed in range(4):
            torch.manual_seed(seed)
            parameter.grad = torch.randn(5, 4, 3, 3).contiguous(memory_format=order)
            steps.step()
        made.append(parameter.detach())
    torch.testing.assert_close(made[0], made[1], rtol=1e-5, atol=1e-7)


def test_fused_adam_copies_no_weight_and_steps_as_torchs():
    """torch's own kernel copies channels-last weights into plain order, each step."""
    start = torch.randn(5, 4, 3, 3).contiguous(memory_format=torch.channels_last)
    parameters = [torch.nn.Parameter(start.clone(memory_format=torch.preserve_format)) for _ in range(2)]
    ours = Adam(weight_decay=0.1).build(parameters[:1])
    theirs = torch.optim.AdamW(parameters[1:], lr=2e-4, betas=(0.5, 0.999), weight_decay=0.1, fused=True)
    for optimiser, parameter in zip((ours, theirs), parameters, strict=True):
        for seed in range(3):
            torch.manual_seed(seed)
            parameter.grad = torch.randn(5, 4, 3, 3).contiguous(memory_format=torch.channels_last)
            with profile(activities=[ProfilerActivity.CPU]) as profiled:
                optimiser.step()
        if optimiser is ours:
            assert "aten::_fused_adamw_" in {event.name for event in profiled.events()}
            assert "aten::clone" not in {event.name for event in profiled.events()}
    assert torch.equal(*parameters)


def as_if_read(snapshot):
    """Files hold tensors in one order."""
    groups = {
        name: {key: value.contiguous() for key, value in group.items()} for name, group in snapshot.tensors.items()
    }
    return replace(snapshot, tensors=groups)


@pytest.mark.parametrize("layout", ["plain", "channels-last"])
def test_a_resumed_run_goes_on_bit_for_bit_in_either_order(layout):
    recipe = tiny_recipe("pix2pix", separate, layout=layout, average_half_life_images=8.0)
    engine = played(recipe)
    resumed = tiny_engine(recipe)
    restore_engine(resumed, as_if_read(snapshot_of(engine, {})))
    for run in (engine, resumed):
        run.play(drawing(recipe))
    for name, value in weights(engine).items():
        assert torch.equal(weights(resumed)[name], value), name


def test_moments_left_in_another_order_would_be_noticed(monkeypatch):
    monkeypatch.setattr("translate.checkpoint._lay_like_parameters", lambda optimiser: None)
    with pytest.raises(AssertionError):
        test_a_resumed_run_goes_on_bit_for_bit_in_either_order("channels-last")


class Waits(TorchDispatchMode):
    """Counts the places where a number is read back from the device: there a GPU's queue runs empty."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default or func is torch.ops.aten.is_nonzero.default
        return func(*args, **(kwargs or {}))


def waits(engine, draw):
    with Waits() as mode:
        engine.play(draw)
    return mode.count


READ_BACK = {"infogan": 2, "sgan": 1}
"""InfoGAN: torch's one-hot looks at its input on a CPU (only there). SGAN: picks those of a batch that have labels."""


@pytest.mark.parametrize("name", method_names())
def test_a_step_reads_nothing_back(name):
    recipe = tiny_recipe(name, precision="bf16")
    engine = tiny_engine(recipe)
    draw = drawing(recipe)
    engine.play(draw)
    engine._refuse_divergence = lambda *_: None  # on a CPU it looks each time, on a GPU once in 16 iterations
    assert waits(engine, draw) == READ_BACK.get(name, 0)


def test_a_step_that_reads_back_would_be_noticed():
    recipe = tiny_recipe("pix2pix")
    recipe = replace(recipe, optimisers={name: RMSprop() for name in recipe.optimisers})
    engine = tiny_engine(recipe)
    assert waits(engine, drawing(recipe)) >= len(engine.turns)


@pytest.mark.parametrize("optimiser", [Adam(), Adam(fused=False), SGD(), SGD(fused=False), RMSprop()])
@pytest.mark.parametrize("bad", [False, True])
def test_no_optimiser_moves_on_a_bad_step(optimiser, bad):
    parameter = torch.nn.Parameter(torch.ones(3))
    steps = optimiser.build([parameter])
    for gradient in (1.0, torch.nan if bad else 1.0):
        before = parameter.detach().clone()
        parameter.grad = torch.full((3,), gradient)
        step_unless(torch.tensor(gradient != 1.0), steps)
    assert torch.equal(parameter, before) == bad
    assert parameter.isfinite().all()
    assert "found_inf" not in vars(steps)


@pytest.mark.parametrize("pad", [ReflectionPad2d, torch.nn.ReflectionPad2d])
def test_borders_are_mirrored_in_the_maps_own_precision(pad):
    """torch's own, under autocast on a CPU, is the control: it gives float32."""
    maps = torch.randn(2, 3, 6, 5).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        padded = pad(2)(maps)
    assert torch.equal(padded.float(), torch.nn.functional.pad(maps.float(), (2, 2, 2, 2), mode="reflect"))
    assert padded.dtype == (torch.bfloat16 if pad is ReflectionPad2d else torch.float32)


@pytest.mark.parametrize("optimiser", [Adam(), SGD(), SGD(momentum=0.0), RMSprop()])
def test_a_bad_first_step_leaves_nothing_behind(optimiser):
    """What an optimiser remembers begins with zeros, though its first step was not taken."""
    made = []
    for gradients in ((torch.nan, 1.0, 2.0), (1.0, 2.0)):
        parameter = torch.nn.Parameter(torch.ones(1000))
        steps = optimiser.build([parameter])
        for gradient in gradients:
            parameter.grad = torch.full((1000,), gradient)
            step_unless(torch.tensor(gradient != gradient), steps)
        made.append(parameter.detach())
    torch.testing.assert_close(made[0], made[1], rtol=0, atol=0)


def test_a_parameter_whose_gradient_comes_late_is_moved_by_fused_sgd():
    early, late = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    steps = SGD().build([early, late])
    for with_late in (False, True):
        early.grad, late.grad = torch.ones(3), torch.ones(3) if with_late else None
        step_unless(torch.tensor(False), steps)
    assert not torch.equal(late, torch.ones(3))


def test_momentum_that_nobody_began_would_be_noticed(monkeypatch):
    monkeypatch.setattr("translate.optimisers.begin_momentum", lambda optimiser: None)
    with pytest.raises(TypeError):
        test_a_parameter_whose_gradient_comes_late_is_moved_by_fused_sgd()
